// The allocator of free-threaded builds as a collector sees it: pages of blocks of one size, in
// segments (Objects/mimalloc, Include/internal/mimalloc/mimalloc/types.h). All of it is the
// target's, and may be damaged anywhere.
#pragma once

#include "common/base/error.h"
#include "common/cpython/layout.h"
#include "common/image/address_space.h"

#include <array>
#include <cstdint>
#include <unordered_set>
#include <vector>

namespace pygc::cpython::mimalloc {

inline constexpr Address segment_size = Address{32} << 20U; // MI_SEGMENT_SIZE; also its alignment
inline constexpr Address slice_size = Address{64} << 10U;   // MI_SEGMENT_SLICE_SIZE
inline constexpr unsigned queues = 75;                      // of a heap: MI_BIN_FULL + 1

/// Of a thread (Include/internal/pycore_mimalloc.h, _Py_mimalloc_heap_id); also the tag of a page.
inline constexpr unsigned gc_heap = 2;     // objects without what lies before them
inline constexpr unsigned gc_pre_heap = 3; // those with a managed dict or weak references

/// Two random words that a free list is encoded with; only debug builds have them.
using Keys = std::optional<std::array<std::uint64_t, 2>>;

/// mi_page_t, checked: its blocks lie in its slices.
struct Page {
  Address address = 0;
  Address start = 0; // of its blocks
  std::uint64_t block_size = 0;
  unsigned capacity = 0; // blocks that there are
  unsigned used = 0;     // of them: allocated, or freed by another thread
  unsigned tag = 0;      // of the heap that it belongs to
  Address heap = 0;
  Address next = 0;              // page of the queue
  std::array<Address, 3> free{}; // lists
  Keys keys;
};

/// Errors: corrupt with what cannot be, memory_*.
Result<Page> read_page(const image::AddressSpace& memory, const FreeThreadedLayout& layout,
                       Address page);

/// Which blocks of a page are on none of its free lists.
struct Blocks {
  static constexpr unsigned word_bits = 64;

  unsigned count = 0;               // blocks, free ones too
  std::vector<std::uint64_t> words; // a bit for each, from the lowest on; none beyond them
  std::string problem;              // of a free list that does not hang together; empty: none
  bool memory_missing = false;      // that is why

  bool is_allocated(std::size_t block) const {
    return (words[block / word_bits] >> block % word_bits & 1) != 0;
  }
  void take_out(std::size_t block) {
    words[block / word_bits] &= ~(std::uint64_t{1} << block % word_bits);
  }
};
Blocks allocated_blocks(const image::AddressSpace& memory, const Page& page);

/// The blocks that other threads have freed but not yet put on a list of their page
/// (thread_delayed_free of the heap at that address). Errors: corrupt, memory_*.
Result<std::unordered_set<Address>> delayed_blocks(const image::AddressSpace& memory,
                                                   const FreeThreadedLayout& layout, Address heap);

/// What a list of segments of ended threads leads to.
struct Segments {
  std::vector<Address> found;
  std::string problem; // of the list; empty: none
  bool memory_missing = false;
};
/// Of the pool at that address, in the collector's order (_mi_abandoned_pool_visit_blocks).
Segments abandoned_segments(const image::AddressSpace& memory, const FreeThreadedLayout& layout,
                            Address pool);

/// The pages in use of a segment, as addresses. Errors: corrupt, memory_*.
Result<std::vector<Address>> pages_of(const image::AddressSpace& memory,
                                      const FreeThreadedLayout& layout, Address segment);

} // namespace pygc::cpython::mimalloc
