// Runs tp_clear of objects and tells what they visit after it: the references that a collection
// leaves in them. It leaves the target's memory as it was.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/steps.h"

namespace pygc::replayer {

/// As delete_garbage does it, with references held so that nothing visited is deallocated by it.
replay::protocol::Reply clear_and_trace(const Workplace& place, Engine& engine,
                                        const replay::protocol::Command& command);

} // namespace pygc::replayer
