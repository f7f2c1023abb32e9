#include "common/analysis/explore/reference_names.h"

#include "common/cpython/objects/item_place.h"

#include <fmt/format.h>
#include <set>

namespace pygc::analysis {
namespace {

constexpr std::size_t item_limit = 1 << 20; // items of one container that are looked at
constexpr std::size_t key_limit = 60;       // characters of a key

} // namespace

Result<void> ReferenceNames::trace(const TracerSource& tracer,
                                   std::span<const Reference> references,
                                   std::vector<std::string>& notes) {
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
  const auto engine = tracer();
  const auto trace =
      engine ? (*engine)->trace(requests) : Result<replay::Trace>(std::unexpected(engine.error()));
  if (!trace && trace.error().kind == ErrorKind::cancelled) {
    return std::unexpected(trace.error());
  }
  if (!trace) {
    notes.push_back("slots are not traced: " + trace.error().reason);
    return {};
  }
  for (const replay::TracedVisit& visit : trace->visits) {
    if (visit.slot.is_known()) {
      slots_.try_emplace({requests[visit.request].container, visit.object}, visit.slot);
    }
  }
  return {};
}

std::string ReferenceNames::name_by_type(const Reference& reference) {
  using Kind = cpython::ItemPlace::Kind;
  const auto type_at = reader_.type_address(reference.from);
  if (type_at && *type_at == reference.to) {
    return "its type";
  }
  const auto place = cpython::find_item(reader_, reference.from, reference.to, item_limit);
  if (!place) {
    return {};
  }
  if (place->kind != Kind::value) {
    return place->kind == Kind::key ? "a key" : fmt::format("[{}]", place->index);
  }
  const auto text = reader_.text(place->key, key_limit);
  return text ? fmt::format("['{}']", *text) : "a value";
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
