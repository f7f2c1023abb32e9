#include "common/analysis/facts/explain.h"

#include "common/cpython/objects/pools.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace pygc::analysis {

void Explainer::prepare(std::span<const Address> objects) {
  names_.find_dict_owners(heap_.objects, objects);
}

ObjectView Explainer::object(Address address) {
  ObjectView view;
  view.address = address;
  view.type = names_.type_name(address);
  view.summary = names_.summary(address);
  const auto count = cpython::load_refcount(reader_.memory(), reader_.runtime().layout, address);
  view.refcount = count ? reader_.runtime().refcount(*count) : 0;
  return view;
}

ObjectState Explainer::state(Address address) {
  ObjectState state;
  const auto count = cpython::load_refcount(reader_.memory(), reader_.runtime().layout, address);
  const auto type = reader_.type_address(address);
  if (!count || !type) {
    return state;
  }
  state.readable = true;
  state.refcount = reader_.runtime().refcount(*count);
  const cpython::TypeInfo& info = reader_.type(*type);
  state.type_problem = info.problem;
  state.of_type = !info.name.empty();
  if (state.type_problem.empty()) {
    state.tracked = reader_.is_tracked(address).value_or(false);
  }
  return state;
}

std::vector<TypeAround> Explainer::types_around(Address address) {
  std::map<Address, std::uint64_t> counts;
  for (std::size_t i = 0; i < heap_.objects.size(); ++i) {
    const heap::HeapIndex index(i);
    if (heap_.usable[index] && cpython::Pools::in_one_place(heap_.objects[index], address)) {
      ++counts[heap_.types[index]];
    }
  }
  std::vector<TypeAround> types;
  for (const auto& [type, count] : counts) {
    const cpython::TypeInfo& info = reader_.type(type);
    types.push_back({.name = info.name,
                     .objects = count,
                     .of_extension = !extension_of(info.traverse).empty()});
  }
  std::ranges::stable_sort(types, std::ranges::greater(), [](const TypeAround& type) {
    return std::pair(type.of_extension, type.objects);
  });
  return types;
}

Visitor Explainer::visitor(Address container, Address visited, std::uint64_t visits) {
  Visitor visitor;
  visitor.container = container;
  visitor.type = names_.type_name(container);
  visitor.summary = names_.summary(container);
  visitor.name = names_.own_name(container);
  visitor.path = path(container);
  const Address function = traverse_function(container, visited);
  visitor.function = function_name(function);
  visitor.library = extension_of(function);
  if (visitor.library.empty()) {
    const Address base = extension_traverse(reader_, image_, container);
    visitor.base_function = base == 0 ? std::string{} : function_name(base);
    visitor.base_library = extension_of(base);
  }
  visitor.visits = visits;
  return visitor;
}

std::string Explainer::path(Address container) {
  const Address owner = names_.dict_owner(container);
  return owner != 0 && reader_.is_module(owner) ? names_.own_name(owner) + ".__dict__"
                                                : std::string{};
}

std::string Explainer::extension_of(Address function) const {
  const image::Module* module = image_.module_at(function);
  return module == nullptr || module == reader_.runtime().module ? std::string{} : module->path();
}

std::string Explainer::source_line(Address pc) const {
  const image::Module* module = image_.module_at(pc);
  return module == nullptr ? std::string{} : module->source_line(pc).value_or("");
}

void Explainer::attach_slot(Visitor& visitor, SlotAddress slot, std::uint64_t visits) {
  visitor.places.push_back({.slot = slot,
                            .name = slot_names_.name(visitor.container, slot),
                            .owner = ownership_.owner(visitor.container, slot),
                            .visits = visits});
  const VisitPlace& first = visitor.places.front();
  visitor.slot = first.slot;
  visitor.slot_name = first.name;
  visitor.owner = first.owner;
}

} // namespace pygc::analysis
