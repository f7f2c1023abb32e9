// `pygc check`: replays update_refs and subtract_refs and tells what is wrong with the outcome.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/finding.h"
#include "common/base/error.h"
#include "common/replay/sweep.h"

#include <optional>

namespace pygc::analysis {

/// Gathers the facts, runs every detector over them and then the diagnosis. Errors: cancelled,
/// replayer, limit.
Result<CheckReport> check(const CheckInput& input);

/// The same, for a target whose collection a sweep can replay; nothing when it has come upon
/// something that check() has to look at. `input.heap` is not used. Errors: cancelled, replayer,
/// limit.
Result<std::optional<CheckReport>> check_swept(const CheckInput& input, replay::Sweep& sweep);

} // namespace pygc::analysis
