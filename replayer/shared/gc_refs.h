// The word _gc_prev while a collection is replayed, as update_refs and subtract_refs of CPython's
// Modules/gcmodule.c (Python/gc.c) use it.
#pragma once

#include <cstdint>

namespace pygc::replayer {

inline constexpr std::uint64_t finalized_bit = 1;
inline constexpr std::uint64_t collecting_bit = 2;
inline constexpr unsigned gc_refs_shift = 2;
inline constexpr std::uint64_t link_flags = 3; // of _gc_next and _gc_prev: no part of a pointer
/// update_refs adds this to each refcount, so that gc_refs below zero stay exact and assertions of
/// debug builds ("gc_refs > 0") never hold the replay up.
inline constexpr std::uint64_t gc_refs_bias = std::uint64_t{1} << 40;

/// What update_refs makes of it.
constexpr std::uint64_t gc_prev_with(std::uint64_t prev, std::uint64_t refcount) {
  return (prev & finalized_bit) | collecting_bit | ((refcount + gc_refs_bias) << gc_refs_shift);
}

/// False of a word that cannot be such a one: of memory that was freed, or was never an object's.
/// As many references and visits as that no object has.
constexpr bool is_gc_prev_of_round(std::uint64_t prev) {
  const std::uint64_t half = gc_refs_bias / 2;
  return (prev >> gc_refs_shift) - half < gc_refs_bias;
}

/// What is left of the references then.
constexpr std::int64_t gc_refs_of(std::uint64_t prev) {
  return static_cast<std::int64_t>((prev >> gc_refs_shift) - gc_refs_bias);
}

} // namespace pygc::replayer
