// What update_refs makes of an object's reference count, in whichever fields its build keeps it.
#pragma once

#include "common/replay/protocol/found_walk.h"

#include <cstdint>

namespace pygc::replayer {

inline constexpr std::uint32_t immortal_local = 0xffff'ffff; // _Py_IMMORTAL_REFCNT_LOCAL
inline constexpr std::uint8_t tracked_bit = 1;               // of ob_gc_bits
inline constexpr std::uint8_t deferred_bit = 64;
inline constexpr unsigned shared_shift = 2; // of ob_ref_shared

template <class T> T field_of(std::uint64_t object, std::uint32_t offset) {
  return *reinterpret_cast<const T*>(object + offset);
}

/// Of a walk with biased counts.
inline bool is_immortal(const replay::protocol::FoundWalk& walk, std::uint64_t object) {
  return field_of<std::uint32_t>(object, walk.ob_ref_local) == immortal_local;
}
inline bool is_tracked(const replay::protocol::FoundWalk& walk, std::uint64_t object) {
  return (field_of<std::uint8_t>(object, walk.ob_gc_bits) & tracked_bit) != 0;
}

/// Of an object that is not immortal. Biased counts below zero are large ones; those of an object
/// that waits to be merged have one more.
inline std::uint64_t refcount_of(const replay::protocol::FoundWalk& walk, std::uint64_t object) {
  if (walk.biased == 0) {
    return field_of<std::uint64_t>(object, walk.walk.ob_refcnt) & walk.walk.refcount_mask;
  }
  const std::uint64_t deferred =
      (field_of<std::uint8_t>(object, walk.ob_gc_bits) & deferred_bit) != 0 ? 1 : 0;
  const std::int64_t shared = field_of<std::int64_t>(object, walk.ob_ref_shared) >> shared_shift;
  return field_of<std::uint32_t>(object, walk.ob_ref_local) + static_cast<std::uint64_t>(shared) -
         deferred;
}

} // namespace pygc::replayer
