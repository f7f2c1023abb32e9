// Faults, traps, caught system calls and the timer: each ends the traversal under way, and only
// that.
#pragma once

#include "replayer/native/sandbox.h"

namespace pygc::replayer {

/// Handlers on a stack of their own, and the periodic timer. To be called before enter_sandbox().
LockResult install_handlers();

} // namespace pygc::replayer
