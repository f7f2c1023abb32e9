// A walk of a collection without lists: its objects lie in pages of an allocator, of which the
// analysis tells the blocks that are in use.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replay::protocol {

/// Of ob_refcnt. No reference count comes here and no immortal one (3.12 and later) either; the
/// address of the next free block, which pymalloc and free lists write in its place, does.
inline constexpr std::uint64_t unused_count_bits = std::uint64_t{0xffff} << 32;

/// In place of a Walk, with counts aside; its lists have no heads, and are told their counts.
struct FoundWalk {
  Walk walk;
  std::uint64_t pages = 0; // FoundPages, in the order of the collection
  std::uint64_t page_count = 0;
  std::uint32_t biased = 0; // 1: references are counted as PEP 703 has it. 0: in ob_refcnt
  std::uint32_t ob_tid = 0;
  std::uint32_t ob_ref_local = 0;
  std::uint32_t ob_ref_shared = 0;
  std::uint32_t ob_gc_bits = 0;
  std::uint32_t frozen_list = 0; // of objects whose bit keeps them out, in whichever page they lie
};

/// Blocks of one size. Where one is in use, there is an object if its bits say so.
struct FoundPage {
  std::uint64_t first = 0;  // where the object of the first block would begin
  std::uint64_t stride = 0; // from one to the next
  std::uint64_t bits = 0;   // offset of u64 words: a bit for each block, from the lowest on
  std::uint32_t blocks = 0;
  std::uint32_t list = 0;
};

} // namespace pygc::replay::protocol
