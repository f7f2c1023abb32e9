// How a debugger gets to a place inside a collection: with breakpoints and watchpoints of pygc's
// own that stop once, and are removed then.
#pragma once

#include "common/analysis/step/running_collection.h"
#include "common/analysis/step/subtract_goal.h"
#include "common/analysis/step/subtract_route.h"
#include "common/protocol/wire_actions.h"
#include "common/session/surroundings.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::commands {

using Actions = std::vector<wire::Action>;

/// To the first container of the next subtract_refs.
Actions to_collection(const std::vector<cpython::SubtractLoop>& loops);

/// To where the loop has just fetched a container that it has not reached yet; the number of all:
/// to the loop's end. The link before a container is read there and nowhere else in subtract_refs.
Actions to_container(const analysis::RunningCollection& collection, std::uint32_t container);

/// To right behind a decrement.
Actions to_decrement(const analysis::RunningCollection& collection,
                     const analysis::SubtractGoal& goal);

/// To a decrement that makes gc_refs negative, when its container has been reached: to the entry of
/// visit_decref; where that is inlined, to right behind the decrement.
Actions to_refused_decrement(const analysis::RunningCollection& collection,
                             const analysis::SubtractGoal& goal);

/// Out of the loop, by a breakpoint.
Actions out_of_loop(const analysis::RunningCollection& collection);

/// To the next stop on the way to a container, by a breakpoint.
Actions to_hop(const analysis::RunningCollection& collection, const analysis::Hop& hop);

/// To a call of visit_decref by the container that has been reached, by a breakpoint.
Actions to_visitor(const analysis::RunningCollection& collection, std::uint64_t passes);

/// Without links: into the traversal of a container, by a breakpoint at its function; 0: at the
/// call of whatever it is.
Actions to_entry(const analysis::RunningCollection& collection, std::uint32_t container,
                 Address function);

/// Without links: to the next call of visit_decref for an object by the container that has been
/// reached.
Actions to_visit(const analysis::RunningCollection& collection, std::uint32_t object);

/// As to_decrement or to_refused_decrement when the container has been reached, by stepping
/// instructions.
Actions step_to_decrement(const analysis::RunningCollection& collection,
                          const analysis::SubtractGoal& goal);

/// What has stopped the process, as a command is told that goes on.
namespace stop {
inline constexpr std::uint8_t place = 1; // the breakpoint that it was to stop at
inline constexpr std::uint8_t guard = 2; // one behind it
} // namespace stop

/// What a command knows of itself in the runs of it that follow each other.
struct Continuation {
  std::string stage;
  Address object = 0;
  std::optional<std::int64_t> gc_refs = {};
};

/// Has the debugger carry out the actions and then run this command anew.
void go_on(session::Surroundings& surroundings, Actions actions, const Continuation& continuation);

} // namespace pygc::commands
