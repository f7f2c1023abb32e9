#include "common/commands/breakpoint_walk.h"

#include "common/base/numbers.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

constexpr std::uint64_t worth_telling = 2000; // stops
/// In a shorter traversal instructions are stepped from the begin.
constexpr std::uint64_t many_calls = 64;
constexpr std::size_t dwarf_rdi = 5;

Address pc_of(const analysis::RunningCollection& collection) {
  return collection.frames().empty() ? 0 : collection.frames().front().pc;
}

analysis::RouteRequest route(const analysis::RunningCollection& collection,
                             const std::vector<Address>& functions) {
  const analysis::SubtractPosition& position = *collection.position();
  const Address pc = pc_of(collection);
  const bool calls = std::ranges::any_of(
      collection.loops(), [&](const cpython::SubtractLoop& loop) { return loop.call == pc; });
  return {.functions = functions,
          .next_call = position.container + (position.inside || calls ? 1 : 0),
          .next_entry = position.container + (position.inside ? 1 : 0)};
}

analysis::Hop hop_to(OpenCollection& open, session::Surroundings& surroundings,
                     std::uint32_t container, bool before) {
  const std::vector<Address> functions = open.collection->traverse_functions();
  analysis::RouteRequest request = route(*open.collection, functions);
  request.to = container;
  request.before = before;
  const analysis::Hop hop = analysis::next_hop(request);
  if (hop.left > worth_telling) {
    surroundings.session.diagnostics(fmt::format(
        "pygc: going by breakpoints, for want of hardware watchpoints: container {} of {} so far, "
        "about {} stops to go\n",
        grouped(open.collection->position()->container + std::uint64_t{1}),
        grouped(functions.size()), grouped(hop.left)));
  }
  return hop;
}

/// Whether the process is at the entry of visit_decref, with that object.
bool at_visit(const analysis::RunningCollection& collection, std::uint32_t object) {
  if (collection.frames().empty()) {
    return false;
  }
  const image::Frame& frame = collection.frames().front();
  return frame.pc == collection.loops().front().visitor &&
         frame.registers[dwarf_rdi] == collection.set().objects[heap::SetIndex(object)];
}

/// Without links. The walk over all blocks may come by fewer containers than there are, so that
/// none is counted: each is waited for by its address.
WalkStep walk_through_heaps(const OpenCollection& open, const analysis::SubtractGoal& goal) {
  const analysis::RunningCollection& collection = *open.collection;
  const analysis::SubtractPosition& position = *collection.position();
  if (goal.container != position.container) {
    return {to_entry(collection, goal.container, collection.traverse_functions()[goal.container]),
            false};
  }
  if (goal.earlier > 0 || !at_visit(collection, goal.object)) {
    return {to_visit(collection, goal.object), false};
  }
  analysis::SubtractGoal next = goal;
  const bool cleared =
      position.cleared_first[goal.object] &&
      cpython::stores_zero(open.context->image().memory(), collection.loops().front().visitor);
  next.earlier = cleared ? 1 : 0;
  return {step_to_decrement(collection, next), true};
}

} // namespace

WalkStep walk_to_container(OpenCollection& open, session::Surroundings& surroundings,
                           std::uint32_t container) {
  if (container == open.collection->set().objects.size()) {
    return {out_of_loop(*open.collection), true};
  }
  if (!open.collection->has_links()) {
    return {to_entry(*open.collection, container, open.collection->traverse_functions()[container]),
            true};
  }
  const analysis::Hop hop = hop_to(open, surroundings, container, true);
  return {to_hop(*open.collection, hop), hop.last};
}

Result<WalkStep> walk_to_decrement(OpenCollection& open, session::Surroundings& surroundings,
                                   analysis::SubtractGoal goal, bool refuses) {
  const analysis::RunningCollection& collection = *open.collection;
  const analysis::SubtractPosition& position = *collection.position();
  if (!collection.has_links()) {
    goal.spent = false; // a debug build asserts when the pass has ended
    return walk_through_heaps(open, goal);
  }
  goal.spent = goal.spent && refuses;
  if (goal.container != position.container) {
    const analysis::Hop hop = hop_to(open, surroundings, goal.container, false);
    return WalkStep{to_hop(collection, hop), false};
  }
  if (goal.spent && goal.earlier == 0 && at_visit(collection, goal.object)) {
    return WalkStep{{}, true};
  }
  const bool at_begin =
      !position.inside || pc_of(collection) == collection.traverse_functions()[goal.container];
  if (at_begin) {
    const auto calls =
        collection.replay().calls_until(goal.container, goal.object, goal.earlier + 1);
    if (!calls) {
      return std::unexpected(calls.error());
    }
    if (*calls > many_calls &&
        !cpython::has_inlined_visitor(open.context->image().memory(), open.context->runtime(),
                                      collection.loops().front().visitor)) {
      return WalkStep{to_visitor(collection, *calls - 1), false};
    }
    if (*calls > worth_telling) {
      surroundings.session.diagnostics(
          fmt::format("pygc: stepping instructions, for want of hardware watchpoints: {} visits of "
                      "one container\n",
                      grouped(*calls)));
    }
  }
  return WalkStep{step_to_decrement(collection, goal), true};
}

Result<std::string> broken_off(session::Surroundings& surroundings, const std::string& stop) {
  const auto mark = surroundings.session.evaluate(stop);
  if (!mark) {
    return std::unexpected(mark.error());
  }
  if (*mark == stop::place) {
    return std::string();
  }
  return std::string(*mark == stop::guard
                         ? "what was predicted did not happen: the process was stopped behind it, "
                           "before it left the collection"
                         : "the process stopped before it was where it was to go");
}

} // namespace pygc::commands
