// A stopped process' memory copied into a file of ours, so that it can be mapped like a core:
// /proc/PID/mem cannot.
#pragma once

#include "common/base/error.h"
#include "common/target/target.h"

#include <memory>

namespace pygc::target {

/// Copies what the process may not share with files: writable and anonymous memory, and of images
/// all but their code, as the dynamic linker has written to parts that are read-only now. Code is
/// the files' own, without the breakpoints that a debugger has put there. What cannot be read
/// counts as not saved. Errors: io.
Result<std::unique_ptr<Target>> copy_target(std::unique_ptr<Target> process);

} // namespace pygc::target
