// gc_refs of the objects of a walk, beside the target's memory: 4 bytes for each 16 of it, where
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
/// Objects of one walk lie so from each other, or the walk does not take place.
inline constexpr unsigned count_granule_shift = 4;

/// What is known of an object. 0: nothing.
inline constexpr std::uint32_t counted_bit = std::uint32_t{1} << 31; // it is being collected
inline constexpr std::uint32_t listed_only = std::uint32_t{1} << 30; // it is on a list
/// Added to each refcount, so that gc_refs below zero stay exact.
inline constexpr std::uint32_t count_bias = std::uint32_t{1} << 29;
inline constexpr std::uint64_t largest_count = std::uint64_t{1} << 29;

struct Counts {
  bool on = false;
  std::uint64_t lowest_bits = 0; // of every object's address
  bool has_lowest_bits = false;
  /// Of each block the counts of its slices; null: there are none.
  std::array<std::uint32_t**, count_blocks> blocks{};
};

// NOLINTNEXTLINE(bugprone-dynamic-static-initializers): constinit says that it is not
extern constinit Counts counts;

/// The count of an object, or null when there can be none at that address.
[[gnu::always_inline]] inline std::uint32_t* count_at(std::uint64_t object) {
  constexpr std::uint64_t granule = (std::uint64_t{1} << count_granule_shift) - 1;
  constexpr std::uint64_t slice = (std::uint64_t{1} << count_slice_shift) - 1;
  const std::uint64_t number = object >> count_block_shift;
  if (number >= count_blocks || (object & granule) != counts.lowest_bits ||
      counts.blocks[number] == nullptr) {
    return nullptr;
  }
  std::uint32_t* of_slice = counts.blocks[number][(object >> count_slice_shift) % count_slices];
  return of_slice == nullptr ? nullptr : of_slice + ((object & slice) >> count_granule_shift);
}

/// Makes room for the object's count where there is none yet. Null: no memory, or an object that
/// lies otherwise than those before it.
std::uint32_t* make_count(std::uint64_t object);

/// What is left of the object's references; gc_refs_lost when it is not being collected.
inline std::int64_t counted_gc_refs(std::uint64_t object) {
  const std::uint32_t* count = count_at(object);
  return count == nullptr || (*count & counted_bit) == 0
             ? replay::protocol::gc_refs_lost
             : static_cast<std::int64_t>(*count & ~counted_bit) -
                   static_cast<std::int64_t>(count_bias);
}

} // namespace pygc::replayer
