// A walk through a young collection with `pygc step next`, compared with what an independent script
// read off the interpreter at every stop; and the places that pygc gets to by either of its ways.
#pragma once

#include "tests/e2e/support/live.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pygc::e2e {

struct Walk {
  std::vector<nlohmann::json> documents; // of pygc, one a stop
  nlohmann::json records;                // of the script, one a stop
  Outcome outcome;                       // of the debugger
};

/// Walks step_heap.py's young collection. Throws when the script did not get to its end.
Walk walk_collection(Debugger debugger, const InterpreterBuild& build,
                     const std::vector<std::string>& pygc_options,
                     const std::vector<std::string>& env = {});

/// Fails the test wherever `pygc step` and `pygc watch` get to other places, or say other things
/// there, with hardware watchpoints than without; returns the number of places compared. Where no
/// hardware watchpoint fires, both ways are the second.
std::size_t expect_same_places(Debugger debugger, const InterpreterBuild& build,
                               const std::vector<std::string>& pygc_options = {},
                               const std::vector<std::string>& env = {});

/// Fails the test wherever pygc and the script differ; returns the number of stops.
std::size_t expect_same_walk(const Walk& walk);

} // namespace pygc::e2e
