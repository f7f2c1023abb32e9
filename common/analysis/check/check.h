// `pygc check`: replays update_refs and subtract_refs and tells what is wrong with the outcome.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/finding.h"
#include "common/base/error.h"

namespace pygc::analysis {

/// Gathers the facts, runs every detector over them and then the diagnosis. Errors: cancelled,
/// replayer, limit.
Result<CheckReport> check(const CheckInput& input);

} // namespace pygc::analysis
