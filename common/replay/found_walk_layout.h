// What a caller has found, as the replayer is told of it.
#pragma once

#include "common/replay/found_sweep.h"
#include "common/replay/protocol/found_walk.h"
#include "common/replay/shared_window.h"

namespace pygc::replay {

/// Puts the runs into the window. Errors: limit.
Result<protocol::FoundWalk> lay_out_found(SharedWindow& window, const protocol::Walk& walk,
                                          const FoundObjects& found);

} // namespace pygc::replay
