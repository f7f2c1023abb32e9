// A core of a running process in memory, for which it stands still only as long as the copying
// takes.
#pragma once

#include "common/base/error.h"
#include "common/target/live/core_buffer.h"
#include "common/target/target.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pygc::target {

struct Snapshot {
  CoreBuffer core;                  // an ELF core
  std::vector<PlannedPiece> pieces; // of it, between head and tail; the rest is zeros
  std::uint64_t tail = 0;           // where that begins
  std::int64_t pid = 0;
  double stopped_seconds = 0;
  std::uint64_t unreadable = 0; // bytes that the kernel did not give: zeros in the core
};

/// Errors: usage (no such number), not_found, permission (says what is missing and how to get it),
/// cancelled, limit, io.
Result<Snapshot> take_snapshot(std::int64_t pid, const std::function<bool()>& cancelled);

/// The snapshot as a Target of kind live. Errors as open_core().
Result<std::unique_ptr<Target>> open_snapshot(Snapshot snapshot);

/// Writes the core to a file, holes left out; whole or not at all. Errors: permission, not_found,
/// io, cancelled.
Result<void> save_snapshot(const Snapshot& snapshot, const std::string& path,
                           const std::function<bool()>& cancelled);

} // namespace pygc::target
