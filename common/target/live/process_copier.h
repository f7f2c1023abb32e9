// Copies memory of another process into a file, as fast as the system can: through a buffer that
// stays in the processor's cache. A mapping of the file would cost a fault a page.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/target/live/snapshot_plan.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <sys/types.h>

namespace pygc::target {

class ProcessCopier {
public:
  /// Makes the memory file. Errors: io.
  Result<void> create();
  /// Makes room for the plan. With `allocate` its pages are there before they are needed: what they
  /// cost is paid while the process still runs. Errors: limit, cancelled.
  Result<void> reserve(const SnapshotPlan& plan, bool allocate,
                       const std::function<bool()>& cancelled);
  /// Copies the pieces of the plan that room was made for last. Errors: cancelled, and limit when
  /// the system has no memory for them.
  Result<void> copy(pid_t pid, const SnapshotPlan& plan, const std::function<bool()>& cancelled);

  /// Bytes that could not be read.
  std::uint64_t unreadable() const { return unreadable_; }
  int fd() const { return file_.get(); }
  UniqueFd take() { return std::move(file_); }

private:
  bool copy_batch(pid_t pid, std::span<const PlannedPiece> batch);

  UniqueFd file_;
  std::atomic<std::uint64_t> unreadable_ = 0;
};

} // namespace pygc::target
