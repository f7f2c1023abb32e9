// Which pages of a process hold something of its own: /proc/PID/pagemap.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <cstdint>
#include <span>
#include <sys/types.h>
#include <vector>

namespace pygc::target {

class Pagemap {
public:
  /// Of a process that may not be looked at nothing is known.
  explicit Pagemap(pid_t pid);

  struct Page {
    bool used = false; // in memory or swapped out; others read as zeros, or as their file has them
    bool own = false;  // used, and neither a page of a file nor of shared memory
  };
  /// Of the pages from `start` on; unknown ones are used and their own.
  void read(Address start, std::span<Page> pages);

private:
  UniqueFd file_;
  std::vector<std::uint64_t> entries_;
};

} // namespace pygc::target
