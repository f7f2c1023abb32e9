// gc_refs of the objects of a walk, beside the target's memory: 4 bytes for each 32 of it, where
// there are objects. So no page of the target is written to, and what comes from a file that can be
// mapped needs no memory of its own.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pygc::replayer {

/// Where objects are that a collection may take: 2^47 bytes, in blocks of 1 GB, each in slices.
/// Other memory than objects lies in slices of its own: a free-threaded build's allocator has pages
/// for it.
inline constexpr unsigned count_block_shift = 30;
inline constexpr std::size_t count_blocks = std::size_t{1} << (47 - count_block_shift);
inline constexpr unsigned count_slice_shift = 16;
inline constexpr std::size_t count_slices = std::size_t{1}
                                            << (count_block_shift - count_slice_shift);
/// Objects of one walk have addresses that differ by a multiple of the lesser, and lie so far from
/// each other as the greater: a head, or what stands in its place, comes with each. Else the walk
/// does not take place.
inline constexpr unsigned alignment_shift = 4;
inline constexpr unsigned count_granule_shift = 5;

/// What is known of an object. 0: nothing.
inline constexpr std::uint32_t counted_bit = std::uint32_t{1} << 31; // it is being collected
inline constexpr std::uint32_t listed_only = std::uint32_t{1} << 30; // it is on a list
inline constexpr std::uint32_t upper_bit = std::uint32_t{1} << 29; // in the upper half of a granule
/// Added to each refcount, so that gc_refs below zero stay exact.
inline constexpr std::uint32_t count_bias = std::uint32_t{1} << 28;
inline constexpr std::uint64_t largest_count = std::uint64_t{1} << 28;

struct Counts {
  bool on = false;
  std::uint64_t lowest_bits = 0; // of every object's address
  bool has_lowest_bits = false;
  /// Of each block the counts of its slices; null: there are none.
  std::array<std::uint32_t**, count_blocks> blocks{};
};

// NOLINTNEXTLINE(bugprone-dynamic-static-initializers): constinit says that it is not
extern constinit Counts counts;

/// Which half of its granule an object begins in, as its count says it.
[[gnu::always_inline]] inline std::uint32_t half_of(std::uint64_t object) {
  return (object >> alignment_shift & 1) != 0 ? upper_bit : 0;
}

/// The count of an object, or of one that begins in the other half of the granule; null when there
/// can be none at that address.
[[gnu::always_inline]] inline std::uint32_t* count_at(std::uint64_t object) {
  constexpr std::uint64_t alignment = (std::uint64_t{1} << alignment_shift) - 1;
  constexpr std::uint64_t slice = (std::uint64_t{1} << count_slice_shift) - 1;
  const std::uint64_t number = object >> count_block_shift;
  if (number >= count_blocks || (object & alignment) != counts.lowest_bits ||
      counts.blocks[number] == nullptr) {
    return nullptr;
  }
  std::uint32_t* of_slice = counts.blocks[number][(object >> count_slice_shift) % count_slices];
  return of_slice == nullptr ? nullptr : of_slice + ((object & slice) >> count_granule_shift);
}

/// Whether a count is that of an object which is being collected, or is on a list at least.
[[gnu::always_inline]] inline bool is_counted(std::uint32_t count, std::uint64_t object) {
  return (count & (counted_bit | upper_bit)) == (counted_bit | half_of(object));
}
inline bool is_listed(std::uint32_t count, std::uint64_t object) {
  return count != 0 && (count & upper_bit) == half_of(object);
}

/// Makes room for the object's count where there is none yet. Null: no memory, or an object that
/// lies otherwise than those before it.
std::uint32_t* make_count(std::uint64_t object);

/// Puts the object there with a count. False: as make_count(), or another one is there.
[[gnu::always_inline]] inline bool put_count(std::uint64_t object, std::uint32_t value) {
  std::uint32_t* count = count_at(object);
  if (count == nullptr) {
    count = make_count(object);
  }
  if (count == nullptr || *count != 0) {
    return false;
  }
  *count = value | half_of(object);
  return true;
}

/// What is left of the object's references; gc_refs_lost when it is not being collected.
inline std::int64_t counted_gc_refs(std::uint64_t object) {
  const std::uint32_t* count = count_at(object);
  return count == nullptr || !is_counted(*count, object)
             ? replay::protocol::gc_refs_lost
             : static_cast<std::int64_t>(*count & ~(counted_bit | upper_bit)) -
                   static_cast<std::int64_t>(count_bias);
}

} // namespace pygc::replayer
