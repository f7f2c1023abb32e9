#include "common/cpython/refcount.h"

#include "common/cpython/gc_bits.h"

namespace pygc::cpython {
namespace {

constexpr std::int64_t flag_bits = 3;
constexpr std::int64_t queued_flag = 2; // _Py_REF_QUEUED
constexpr unsigned shared_shift = 2;

} // namespace

bool BiasedCount::is_deferred() const {
  return (gc_bits & gc_bits::deferred) != 0;
}

bool BiasedCount::is_queued() const {
  // Deferred counting sets the flag so that the object is never queued.
  return (shared & flag_bits) == queued_flag && !is_deferred();
}

std::int64_t BiasedCount::references() const {
  return static_cast<std::int64_t>(local) + (shared >> shared_shift) - (is_deferred() ? 1 : 0) -
         (is_queued() ? 1 : 0);
}

Result<BiasedCount> load_biased_count(const image::AddressSpace& memory,
                                      const FreeThreadedLayout& layout, Address object) {
  const auto tid = memory.load<std::uint64_t>(object + layout.ob_tid);
  const auto bits = memory.load<std::uint8_t>(object + layout.ob_gc_bits);
  const auto local = memory.load<std::uint32_t>(object + layout.ob_ref_local);
  const auto shared = memory.load<std::int64_t>(object + layout.ob_ref_shared);
  if (!tid || !bits || !local || !shared) {
    return std::unexpected(!tid     ? tid.error()
                           : !bits  ? bits.error()
                           : !local ? local.error()
                                    : shared.error());
  }
  return BiasedCount{.tid = *tid, .gc_bits = *bits, .local = *local, .shared = *shared};
}

Result<std::uint64_t> load_refcount(const image::AddressSpace& memory, const Layout& layout,
                                    Address object) {
  if (!layout.free_threaded) {
    return memory.load<std::uint64_t>(object + layout.ob_refcnt);
  }
  const auto count = load_biased_count(memory, *layout.free_threaded, object);
  if (!count) {
    return std::unexpected(count.error());
  }
  return count->is_immortal() ? immortal_refcount : static_cast<std::uint64_t>(count->references());
}

} // namespace pygc::cpython
