// The native and the emulated engine on the same collection: they agree on every object, or one of
// them is wrong.
#pragma once

#include "common/analysis/finding.h"
#include "common/base/error.h"
#include "common/replay/replay.h"

#include <string>

namespace pygc::analysis {

struct ComparedEngines {
  EngineComparison counts;
  std::string first_ones; // "0x1234: 1 against 2, ..."
};

/// Replays the round with `second` and compares with `result`, which `first` gave for it. Objects
/// visited by a traversal that the emulator cannot execute are not compared. Errors: cancelled,
/// replayer.
Result<ComparedEngines> compare_engines(replay::Replayer& first, replay::Replayer& second,
                                        const replay::Round& round,
                                        const replay::RoundResult& result);

} // namespace pygc::analysis
