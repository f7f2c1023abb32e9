// What keeps the emulator in, should the target's data or code lead it astray.
//
// The target's code is never executed itself, so no system call can be its own. Should it break out
// of the emulator: once enter_sandbox() has succeeded, all that the kernel does for this process is
// to manage anonymous memory without new executable pages, to read and write the control socket, to
// return from signals and to end, and that only when the C library asks (origin_filter.h). It has
// no other descriptor, gains no privileges, has a limited address space, and dies with the
// analysis. Beside that it has given up what privileges it could (shared/privileges.h).
#pragma once

#include "replayer/shared/sandbox.h"

namespace pygc::replayer {

/// Dies with the analysis, from the first moment on.
void die_with_parent(int parent);

/// `parent`: with whom it dies. `kept_file`: a descriptor that can still be read from; -1: none.
LockResult enter_sandbox(int parent, int kept_file);

} // namespace pygc::replayer
