#include "common/analysis/facts/explain.h"

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

void Explainer::attach_slot(Visitor& visitor, Address slot) {
  visitor.slot = slot;
  visitor.slot_name = ownership_.slot_name(visitor.container, slot);
  visitor.owner = ownership_.owner(visitor.container, slot);
}

} // namespace pygc::analysis
