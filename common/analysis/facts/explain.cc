#include "common/analysis/facts/explain.h"

#include "common/cpython/objects/item_place.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t item_limit = std::size_t{1} << 24; // of a list or tuple that are looked at

} // namespace

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
  ObjectState state;
  const auto count =
      reader_.memory().load<std::uint64_t>(address + reader_.runtime().layout.ob_refcnt);
  const auto type = reader_.type_address(address);
  if (!count || !type) {
    return state;
  }
  state.readable = true;
  state.refcount = reader_.runtime().refcount(*count);
  state.type_problem = reader_.type(*type).problem;
  if (state.type_problem.empty()) {
    state.tracked = reader_.is_tracked(address).value_or(false);
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
  using Kind = cpython::ItemPlace::Kind;
  const auto place = cpython::find_item(reader_, container, object, item_limit);
  if (!place || place->kind == Kind::key) {
    return {};
  }
  return place->kind == Kind::index ? fmt::format("[{}]", place->index)
                                    : fmt::format("['{}']", reader_.text(place->key).value_or("?"));
}

void Explainer::attach_slot(Visitor& visitor, SlotAddress slot) {
  visitor.slot = slot;
  visitor.slot_name = ownership_.slot_name(visitor.container, slot);
  visitor.owner = ownership_.owner(visitor.container, slot);
}

std::string Explainer::variable(const cpython::FrameReference& reference) {
  const cpython::FrameVariable variable = cpython::frame_variable(reader_, reference);
  const std::string name = variable.name.empty() ? fmt::format("number {}", reference.variable)
                                                 : "'" + variable.name + "'";
  const std::string function = variable.function.empty() ? "a function" : variable.function + "()";
  const std::string line = variable.line > 0 ? fmt::format(":{}", variable.line) : "";
  return variable.file.empty()
             ? name + " of " + function
             : fmt::format("{} of {} ({}{})", name, function, variable.file, line);
}

} // namespace pygc::analysis
