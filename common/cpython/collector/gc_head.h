// PyGC_Head, which lies in front of an object and links it into a list
// (Include/internal/pycore_gc.h, 3.8 and later).
#pragma once

#include "common/cpython/collector/gc_state.h"
#include "common/cpython/layout.h"
#include "common/image/address_space.h"

#include <array>

namespace pygc::cpython::gc_head {

inline constexpr std::uint64_t prev_finalized = 1;
inline constexpr std::uint64_t prev_collecting = 2;
inline constexpr unsigned gc_refs_shift = 2;
inline constexpr std::uint64_t flag_bits = 3; // of both words
// Some distributions align a PyGC_Head to 4, upstream to 8.
inline constexpr Address alignment = 4;

/// Both words as stored.
struct Links {
  Address next = 0;
  Address prev = 0;

  Address next_node() const { return next & ~flag_bits; }
  Address prev_node() const { return prev & ~flag_bits; }
};

inline Address object_of(const Layout& layout, Address node) {
  return node + layout.gc_head_size;
}
inline Address node_of(const Layout& layout, Address object) {
  return object - layout.gc_head_size;
}

/// While a collection is at work _gc_prev of an object holds its gc_refs.
inline GcState state_of(std::uint64_t prev) {
  return {static_cast<std::int64_t>(prev) >> gc_refs_shift, (prev & prev_collecting) != 0,
          (prev & prev_finalized) != 0};
}

/// Errors: memory_*.
inline Result<Links> read(const image::AddressSpace& memory, const Layout& layout, Address node) {
  if (layout.gc_next == 0 && layout.gc_prev == sizeof(Address)) {
    const auto both = memory.load<std::array<Address, 2>>(node);
    return both ? Result<Links>(Links{(*both)[0], (*both)[1]}) : std::unexpected(both.error());
  }
  const auto next = memory.load<Address>(node + layout.gc_next);
  const auto prev = memory.load<Address>(node + layout.gc_prev);
  if (!next || !prev) {
    return std::unexpected(next ? prev.error() : next.error());
  }
  return Links{*next, *prev};
}

} // namespace pygc::cpython::gc_head
