// The way to a decrement or a container without hardware watchpoints: stop by stop, each looked at
// by a run of the command of its own.
#pragma once

#include "common/commands/open_collection.h"
#include "common/commands/step_actions.h"

#include <optional>

namespace pygc::commands {

/// What is to be done next, and whether the process then is where it was to go.
struct WalkStep {
  Actions actions; // empty: it is there already
  bool last = false;
};

/// To before a container's traversal; the number of all: out of the loop.
WalkStep walk_to_container(OpenCollection& open, session::Surroundings& surroundings,
                           std::uint32_t container);

/// To a decrement; `refuses`: one that finds gc_refs 0 is to be stopped at, not behind.
/// Errors: as replay::Replayer::run.
Result<WalkStep> walk_to_decrement(OpenCollection& open, session::Surroundings& surroundings,
                                   analysis::SubtractGoal goal, bool refuses);

/// Why a run of a command that was to go on does not; empty: the process has stopped where it was
/// to. Errors: as Session::evaluate.
Result<std::string> broken_off(session::Surroundings& surroundings, const std::string& stop);

} // namespace pygc::commands
