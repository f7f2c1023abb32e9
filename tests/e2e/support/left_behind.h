// Runs pygc so that whatever it leaves behind shows.
#pragma once

#include "tests/e2e/support/front_ends.h"

#include <string>
#include <vector>

namespace pygc::e2e {

struct TracedOutcome {
  Outcome outcome;
  std::vector<std::string> files; // left in its temporary, cache or working directory
};

/// With temporary, cache and working directory of its own. The cache may hold files afterwards, but
/// none that is empty or half written.
TracedOutcome run_pygc_traced(const std::vector<std::string>& words,
                              const std::vector<std::string>& env = {});

} // namespace pygc::e2e
