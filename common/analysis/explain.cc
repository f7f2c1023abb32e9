#include "common/analysis/explain.h"

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

Address Explainer::traverse_function(Address container, Address visited) {
  if (reader_.is_module(container)) {
    // module_traverse calls m_traverse, then visits md_dict (Objects/moduleobject.c).
    const auto module = reader_.module(container);
    if (module && module->traverses() && visited != module->dict) {
      return module->traverse;
    }
  }
  const auto type = reader_.type_address(container);
  return type ? reader_.type(*type).traverse : 0;
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

} // namespace pygc::analysis
