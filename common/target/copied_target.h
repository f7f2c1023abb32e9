// A stopped process' memory copied into a file of ours, so that it can be mapped like a core:
// /proc/PID/mem cannot.
#pragma once

#include "common/base/error.h"
#include "common/target/target.h"

#include <memory>

namespace pygc::target {

/// Copies what the process does not share with files: writable and anonymous memory, and the first
/// page of each mapped file, which holds an image's build-id. The rest is the files' own, without
/// the breakpoints that a debugger has put into code. What cannot be read counts as not saved.
/// Errors: io.
Result<std::unique_ptr<Target>> copy_target(std::unique_ptr<Target> process);

} // namespace pygc::target
