// Where a stopped process is inside subtract_refs: which container, how far.
#pragma once

#include "common/analysis/check/check.h"
#include "common/analysis/step/subtract_replay.h"
#include "common/cpython/collector/stepping.h"
#include "common/cpython/collector/subtract_search.h"
#include "common/heap/collected_set.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pygc::analysis {

struct SubtractPosition {
  /// The one that is being traversed, or the next one whose turn it is; the number of all when
  /// none is left. An index into the set.
  std::uint32_t container = 0;
  bool inside = false;              // its traversal has begun and not ended
  std::vector<std::int64_t> stored; // gc_refs of each object, as the collector has it now
  std::vector<std::int64_t> before; // as it should be before that container
  std::vector<std::int64_t> taken;  // what that container decrements altogether
  std::uint64_t visits = 0;         // decrements that the container has made so far
  Address caller = 0; // where the function that runs the loop returns to; 0 when unknown
  /// Free-threaded: whether what is where gc_refs is to be is cleared before the first decrement.
  std::vector<bool> cleared_first;
};

/// subtract_refs of the build that is examined.
struct SubtractCode {
  const cpython::Stepping& stepping;
  const cpython::Layout& layout;
  std::span<const cpython::SubtractLoop> loops;
};

/// Where the loop is, from the registers of the frame that runs it (`frames`, innermost first), and
/// from how many decrements the stored gc_refs show: so that it needs no symbols. Nothing when the
/// thread is not in one of the loops, or when the objects are not all being collected. Errors: as
/// replay::Replayer::run.
Result<std::optional<SubtractPosition>> find_subtract_position(const heap::Heap& heap,
                                                               const heap::CollectedSet& set,
                                                               const SubtractCode& code,
                                                               std::span<const image::Frame> frames,
                                                               SubtractReplay& replay);

} // namespace pygc::analysis
