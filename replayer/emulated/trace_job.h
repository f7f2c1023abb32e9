// Traces traversals: each visit with the slot its pointer came from and whether visit_decref counts
// it, and what a traversal must not do. It leaves the target's memory as it was.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/steps.h"

namespace pygc::replayer {

/// The engine watches memory.
replay::protocol::Reply trace(const Workplace& place, Engine& engine,
                              const replay::protocol::Command& command);

} // namespace pygc::replayer
