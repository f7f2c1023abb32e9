// Copies memory of another process into a file, as fast as the system can.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/target/live/snapshot_plan.h"

#include <cstddef>
#include <functional>
#include <sys/types.h>

namespace pygc::target {

class ProcessCopier {
public:
  ProcessCopier() = default;
  ProcessCopier(const ProcessCopier&) = delete;
  ProcessCopier& operator=(const ProcessCopier&) = delete;
  ~ProcessCopier();

  /// Makes the memory file. Errors: io.
  Result<void> create();
  /// Makes room for the plan. With `touch` its pages are there before they are needed: what they
  /// cost is paid while the process still runs. Errors: limit, io, cancelled.
  Result<void> reserve(const SnapshotPlan& plan, bool touch,
                       const std::function<bool()>& cancelled);
  /// Copies the pieces of the plan that room was made for last. Errors: cancelled.
  Result<void> copy(pid_t pid, const SnapshotPlan& plan, const std::function<bool()>& cancelled);

  /// Bytes that could not be read.
  std::uint64_t unreadable() const { return unreadable_; }
  int fd() const { return file_.get(); }
  UniqueFd take() { return std::move(file_); }

private:
  void copy_page_by_page(pid_t pid, const PlannedPiece& piece);

  UniqueFd file_;
  std::byte* bytes_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t unreadable_ = 0;
};

} // namespace pygc::target
