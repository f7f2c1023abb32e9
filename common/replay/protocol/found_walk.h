// A walk of a collection without lists: its objects come from the analysis, which has found them in
// the allocator's pages.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replay::protocol {

/// In place of a Walk, with no lists and counts aside. The analysis knows types and samples itself.
struct FoundWalk {
  Walk walk;
  std::uint64_t runs = 0; // FoundRuns, in the order of the collection
  std::uint64_t run_count = 0;
  std::uint32_t biased = 0; // 1: references are counted as PEP 703 has it. 0: in ob_refcnt
  std::uint32_t ob_ref_local = 0;
  std::uint32_t ob_ref_shared = 0;
  std::uint32_t ob_gc_bits = 0;
};

/// A bit for each found_granule bytes of memory: whether an object begins there.
struct FoundRun {
  std::uint64_t first = 0; // object, of the lowest bit
  std::uint64_t bits = 0;  // offset of u64 words
  std::uint32_t words = 0;
  std::uint32_t collected = 0; // 0: the collection does not take them
};
inline constexpr std::uint64_t found_granule = 16;

} // namespace pygc::replay::protocol
