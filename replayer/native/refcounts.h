// What update_refs makes of an object's reference count, in whichever fields its build keeps it.
#pragma once

#include "common/replay/protocol/found_walk.h"

#include <cstdint>

namespace pygc::replayer {

inline constexpr std::uint32_t immortal_local = 0xffff'ffff; // _Py_IMMORTAL_REFCNT_LOCAL
inline constexpr std::uint8_t tracked_bit = 1;               // of ob_gc_bits
inline constexpr std::uint8_t unreachable_bit = 4;
inline constexpr std::uint8_t frozen_bit = 8;
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

/// Of a walk with biased counts: whether nothing is to be told of an object's, neither that they
/// cannot be so nor that a thread is at them or is to merge them (cpython::fault_of() has the
/// cases). A collection makes gc_refs of what is not below 1, and of 0 where references are
/// deferred.
inline bool is_sound_count(const replay::protocol::FoundWalk& walk, std::uint64_t object) {
  constexpr std::int64_t flags = 3;
  constexpr std::int64_t queued = 2;
  constexpr std::int64_t merged = 3;
  const auto tid = field_of<std::uint64_t>(object, walk.ob_tid);
  const auto local = field_of<std::uint32_t>(object, walk.ob_ref_local);
  const auto shared = field_of<std::int64_t>(object, walk.ob_ref_shared);
  const auto bits = field_of<std::uint8_t>(object, walk.ob_gc_bits);
  const bool deferred = (bits & deferred_bit) != 0;
  if ((bits & unreachable_bit) != 0) {
    return false;
  }
  if (local == immortal_local) {
    return true;
  }
  const std::int64_t references = local + (shared >> shared_shift) - (deferred ? 1 : 0);
  if (references < (deferred ? 0 : 1)) {
    return false;
  }
  if ((shared & flags) == merged) {
    return tid == 0 && local == 0;
  }
  const bool has_owner = tid != 0 && tid % alignof(std::uint64_t) == 0;
  const bool in_motion = local == 0 && shared != 0;
  if ((shared & flags) == queued) { // so that it never is
    return has_owner && !in_motion && deferred;
  }
  return has_owner && !in_motion && shared >= 0 && !deferred;
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
