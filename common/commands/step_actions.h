// How a debugger gets to a place inside a collection: with breakpoints and watchpoints of pygc's
// own that stop once, and are removed then.
#pragma once

#include "common/analysis/running_collection.h"
#include "common/analysis/subtract_goal.h"
#include "common/commands/surroundings.h"
#include "common/target/wire_actions.h"

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

/// Has the debugger carry out the actions and then run this command anew, at this stage of it.
void go_on(Surroundings& surroundings, Actions actions, const std::string& stage,
           Address object = 0);

} // namespace pygc::commands
