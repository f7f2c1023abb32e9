// The process of --pid: copied while it stands still, then examined while it runs on.
#pragma once

#include "common/session/options.h"
#include "common/target/live/snapshot.h"
#include "common/target/session.h"
#include "common/target/target.h"

#include <memory>
#include <string>

namespace pygc::session {

/// A copy of the process; says on the session how long it stood still. Errors as
/// target::take_snapshot().
Result<std::unique_ptr<target::Target>> open_live_process(std::int64_t pid,
                                                          target::Session& session);

/// Where the files of such a process are, as far as the options do not say it. Returns what it has
/// put in front of the process's paths, or nothing.
std::string complete_file_options(std::int64_t pid, image::FileOptions& files);

/// "process 12 stood still for 0.034 s", a line.
std::string standstill(const target::Snapshot& snapshot);

} // namespace pygc::session
