// What a walk in the replayer is told of the target's structs.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "common/replay/sweep.h"

namespace pygc::replay {

/// Fills the fields of the walk that say where members lie and which types are looked at.
void put_shapes(const SweepRequest& request, protocol::Walk& walk);

} // namespace pygc::replay
