// Why the kernel does not let a process be stopped and read, and what would make it.
#pragma once

#include "common/base/error.h"

#include <sys/types.h>

namespace pygc::target {

/// `code`: the errno of ptrace, or of opening a file under /proc/PID. Errors: not_found,
/// permission, io.
Error ptrace_refusal(pid_t pid, int code);

} // namespace pygc::target
