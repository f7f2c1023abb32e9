// What of a process's memory a snapshot keeps, and where in the file: what the kernel's own cores
// keep by default (coredump_filter 0x33), and the whole of mappings whose file is deleted.
#pragma once

#include "common/protocol/wire_messages.h"
#include "common/target/live/pagemap.h"

#include <cstdint>
#include <vector>

namespace pygc::target {

struct PlannedSegment {
  wire::Mapping mapping;
  std::uint64_t saved = 0;  // bytes from its start
  std::uint64_t offset = 0; // in the file
};

/// A run of memory to be copied; what lies between the pieces of a segment is zeros.
struct PlannedPiece {
  Address start = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0; // in the file
};

struct SnapshotPlan {
  std::vector<PlannedSegment> segments;
  std::vector<PlannedPiece> pieces;
  std::uint64_t end = 0; // of the segments in the file
};

/// `offset`: where in the file the segments begin, a page boundary.
SnapshotPlan plan_snapshot(const std::vector<wire::Mapping>& mappings, Pagemap& pagemap,
                           std::uint64_t offset);

} // namespace pygc::target
