// Copies memory of another process, as fast as the system can.
#pragma once

#include "common/base/error.h"
#include "common/target/live/core_buffer.h"
#include "common/target/live/snapshot_plan.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <sys/types.h>

namespace pygc::target {

class ProcessCopier {
public:
  /// Makes room for the plan, with its pages: what they cost is paid while the process still runs.
  /// Errors: limit, cancelled.
  Result<void> prepare(const SnapshotPlan& plan, const std::function<bool()>& cancelled);
  /// Copies the pieces of the plan to where it says. Errors: limit, cancelled.
  Result<void> copy(pid_t pid, const SnapshotPlan& plan, const std::function<bool()>& cancelled);

  /// Bytes that could not be read.
  std::uint64_t unreadable() const { return unreadable_; }
  CoreBuffer& core() { return core_; }

private:
  void copy_batch(pid_t pid, std::span<const PlannedPiece> batch);

  CoreBuffer core_;
  std::atomic<std::uint64_t> unreadable_ = 0;
};

} // namespace pygc::target
