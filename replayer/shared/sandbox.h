// What the sandboxes of the replayers have in common.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cstdint>
#include <sys/resource.h>

namespace pygc::replayer {

struct LockResult {
  replay::protocol::LockFailure failure = replay::protocol::LockFailure::none;
  int error = 0; // errno of the failure
};

struct ResourceBound {
  int resource; // RLIMIT_*
  std::uint64_t value;
};

/// No dumps, no further descriptors, files or processes. The processor time is a backstop behind
/// the budgets of single traversals.
inline constexpr std::array resource_bounds{
    ResourceBound{RLIMIT_CORE, 0}, ResourceBound{RLIMIT_NOFILE, 0}, ResourceBound{RLIMIT_FSIZE, 0},
    ResourceBound{RLIMIT_NPROC, 0}, ResourceBound{RLIMIT_CPU, 3600}};

} // namespace pygc::replayer
