// What keeps the target's code in.
//
// The promise: once enter_sandbox() has returned success, no instruction of the target, however
// hostile, can make the kernel do anything for it but what the few system calls of the replayer's
// own text do: read and write packets on the control socket, return from a signal, exit, and, where
// memory comes on demand, change the protection of its own pages. It has no
// other descriptor, cannot open, map, start, signal or trace anything, gains no privileges by any
// exec, is killed when the analysis dies, and its processor time and address space are limited.
// Beside that it has given up what privileges it could (shared/privileges.h).
//
// Not promised: that the results are true. The target's code shares the address space with the
// replayer's data and can overwrite both; the analysis therefore treats every number as hearsay.
#pragma once

#include "replayer/shared/sandbox.h"

namespace pygc::replayer {

/// Dies with the analysis, from the first moment on.
void die_with_parent(int parent);

/// Whether enter_sandbox() can be expected to succeed.
LockResult check_sandbox();

/// `parent`: with whom it dies.
LockResult enter_sandbox(int parent);

} // namespace pygc::replayer
