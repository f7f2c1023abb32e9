#include "common/analysis/explore/reference_names.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace pygc::analysis {
namespace {

constexpr std::size_t item_limit = 1 << 20; // items of one container that are looked at
constexpr std::size_t key_limit = 60;       // characters of a key

} // namespace

Result<void> ReferenceNames::trace(replay::Tracer& tracer, std::span<const Reference> references) {
  std::set<Address> containers;
  for (const Reference& reference : references) {
    if (containers.size() < max_traced && name_by_type(reference).empty()) {
      containers.insert(reference.from);
    }
  }
  std::vector<replay::TraceRequest> requests;
  requests.reserve(containers.size());
  for (const Address container : containers) {
    requests.push_back({.container = container});
  }
  if (requests.empty()) {
    return {};
  }
  const auto trace = tracer.trace(requests);
  if (!trace) {
    return std::unexpected(trace.error());
  }
  for (const replay::TracedVisit& visit : trace->visits) {
    if (visit.slot != 0) {
      slots_.try_emplace({requests[visit.request].container, visit.object}, visit.slot);
    }
  }
  return {};
}

std::string ReferenceNames::item_name(Address items, Address end, Address to) const {
  const std::size_t count = std::min<std::size_t>((end - items) / sizeof(Address), item_limit);
  for (std::size_t i = 0; i < count; ++i) {
    const auto item = reader_.memory().load<Address>(items + i * sizeof(Address));
    if (!item) {
      break;
    }
    if (*item == to) {
      return fmt::format("[{}]", i);
    }
  }
  return {};
}

std::string ReferenceNames::name_by_type(const Reference& reference) {
  const auto type_at = reader_.type_address(reference.from);
  if (!type_at) {
    return {};
  }
  if (*type_at == reference.to) {
    return "its type";
  }
  const cpython::TypeInfo& type = reader_.type(*type_at);
  const cpython::Layout& layout = reader_.runtime().layout;
  std::string name;
  if (type.has_flag(cpython::type_flag::dict_subclass)) {
    // A dict that cannot be read has no names.
    [[maybe_unused]] const auto read =
        reader_.each_item(reference.from, [&](Address key, Address value) {
          if (value == reference.to) {
            const auto text = reader_.text(key, key_limit);
            name = text ? fmt::format("['{}']", *text) : "a value";
          } else if (key == reference.to) {
            name = "a key";
          }
          return name.empty();
        });
    return name;
  }
  const bool list = type.has_flag(cpython::type_flag::list_subclass);
  if (!list && !type.has_flag(cpython::type_flag::tuple_subclass)) {
    return {};
  }
  const auto size = reader_.memory().load<std::int64_t>(reference.from + layout.ob_size);
  if (!size || *size <= 0) {
    return {};
  }
  // PyListObject: ob_item behind ob_size. A tuple ends with its items: in its own type they begin
  // where tp_basicsize ends.
  Address items = 0;
  if (list) {
    const auto at =
        reader_.memory().load<Address>(reference.from + layout.ob_size + sizeof(Address));
    items = at ? *at : 0;
  } else if (type.name == "tuple" && type.basicsize > 0) {
    items = reference.from + static_cast<Address>(type.basicsize);
  }
  const auto count = std::min(static_cast<std::size_t>(*size), item_limit);
  return items == 0 ? std::string()
                    : item_name(items, items + count * sizeof(Address), reference.to);
}

ReferenceName ReferenceNames::name(const Reference& reference) {
  ReferenceName name{.text = name_by_type(reference), .slot = {}};
  const auto traced = slots_.find({reference.from, reference.to});
  if (traced != slots_.end()) {
    name.slot = traced->second;
    if (name.text.empty()) {
      name.text = ownership_.slot_name(reference.from, traced->second);
    }
  }
  return name;
}

} // namespace pygc::analysis
