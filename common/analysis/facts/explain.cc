#include "common/analysis/facts/explain.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {

void Explainer::prepare(std::span<const Address> objects) {
  names_.find_dict_owners(heap_.objects, objects);
}

ObjectView Explainer::object(Address address) {
  ObjectView view;
  view.address = address;
  view.type = names_.type_name(address);
  view.summary = names_.summary(address);
  const auto count =
      reader_.memory().load<std::uint64_t>(address + reader_.runtime().layout.ob_refcnt);
  view.refcount = count ? reader_.runtime().refcount(*count) : 0;
  return view;
}

ObjectState Explainer::state(Address address) {
  const cpython::Layout& layout = reader_.runtime().layout;
  ObjectState state;
  const auto count = reader_.memory().load<std::uint64_t>(address + layout.ob_refcnt);
  const auto type = reader_.type_address(address);
  if (!count || !type) {
    return state;
  }
  state.readable = true;
  state.refcount = reader_.runtime().refcount(*count);
  state.type_problem = reader_.type(*type).problem;
  if (state.type_problem.empty()) {
    const auto next =
        reader_.memory().load<Address>(address - layout.gc_head_size + layout.gc_next);
    state.tracked = next && *next != 0;
  }
  return state;
}

Visitor Explainer::visitor(Address container, Address visited, std::uint64_t visits) {
  Visitor visitor;
  visitor.container = container;
  visitor.type = names_.type_name(container);
  visitor.summary = names_.summary(container);
  visitor.name = names_.own_name(container);
  visitor.function = function_name(traverse_function(container, visited));
  visitor.visits = visits;
  return visitor;
}

std::string Explainer::item_name(Address container, Address object) {
  constexpr std::int64_t item_limit = std::int64_t{1} << 24;
  const cpython::Layout& layout = reader_.runtime().layout;
  const image::AddressSpace& memory = reader_.memory();
  const auto type = reader_.type_address(container);
  if (!type) {
    return {};
  }
  const cpython::TypeInfo& info = reader_.type(*type);
  std::string name;
  if (info.has_flag(cpython::type_flag::dict_subclass)) {
    // What could be read until an error is as good.
    [[maybe_unused]] const auto read =
        reader_.each_item(container, [&](Address key, Address value) {
          if (value == object) {
            name = fmt::format("['{}']", reader_.text(key).value_or("?"));
          }
          return name.empty();
        });
    return name;
  }
  const bool list = info.has_flag(cpython::type_flag::list_subclass);
  if (!list && !info.has_flag(cpython::type_flag::tuple_subclass)) {
    return {};
  }
  // PyListObject.ob_item, PyTupleObject.ob_item: behind ob_size (Include/cpython).
  const Address behind_size = container + layout.ob_size + sizeof(std::int64_t);
  const auto size = memory.load<std::int64_t>(container + layout.ob_size);
  const auto items = list ? memory.load<Address>(behind_size) : Result<Address>(behind_size);
  for (std::int64_t i = 0; size && items && i < std::min(*size, item_limit); ++i) {
    const auto item = memory.load<Address>(*items + static_cast<Address>(i) * sizeof(Address));
    if (!item) {
      break;
    }
    if (*item == object) {
      return fmt::format("[{}]", i);
    }
  }
  return {};
}

void Explainer::attach_slot(Visitor& visitor, Address slot) {
  visitor.slot = slot;
  visitor.slot_name = ownership_.slot_name(visitor.container, slot);
  visitor.owner = ownership_.owner(visitor.container, slot);
}

} // namespace pygc::analysis
