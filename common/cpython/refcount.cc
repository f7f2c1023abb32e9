#include "common/cpython/refcount.h"

#include "common/cpython/gc_bits.h"

#include <fmt/format.h>

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

std::int64_t BiasedCount::references(bool on_queue) const {
  return static_cast<std::int64_t>(local) + (shared >> shared_shift) - (is_deferred() ? 1 : 0) -
         (on_queue ? 1 : 0);
}

CountFault fault_of(const BiasedCount& count) {
  if ((count.gc_bits & gc_bits::unreachable) != 0) {
    return CountFault::marked_unreachable;
  }
  if (count.is_immortal() || count.is_being_merged()) {
    return CountFault::none;
  }
  if (count.is_merged()) {
    return count.tid != 0 || count.local != 0 ? CountFault::owned_after_merging : CountFault::none;
  }
  if (count.tid == 0) {
    return CountFault::unowned;
  }
  if (count.tid % alignof(void*) != 0) {
    return CountFault::impossible_owner;
  }
  if ((count.shared & flag_bits) == queued_flag) {
    return CountFault::none;
  }
  return count.shared < 0      ? CountFault::negative_shared
         : count.is_deferred() ? CountFault::not_deferred
                               : CountFault::none;
}

std::string describe(CountFault fault, const BiasedCount& count) {
  const std::int64_t shared = count.shared >> shared_shift;
  switch (fault) {
  case CountFault::none:
    break;
  case CountFault::owned_after_merging:
    return count.tid != 0
               ? fmt::format("is merged, but has an owner, {:#x}", count.tid)
               : fmt::format("is merged, but has {} references of an owner besides", count.local);
  case CountFault::unowned:
    return fmt::format("has {} references of an owner, but no owner, and is not merged",
                       count.local);
  case CountFault::impossible_owner:
    return fmt::format("has an owner, {:#x}, that is the address of no thread", count.tid);
  case CountFault::negative_shared:
    return fmt::format("has {} references of other threads than its owner, and does not wait to be "
                       "merged",
                       shared);
  case CountFault::marked_unreachable:
    return "is marked as one that a collection has not yet found to be reachable, though none is "
           "at work: the next one adds its count to the address of its owner";
  case CountFault::not_deferred:
    return fmt::format("says that references to it are deferred, but its counts of {} and {} do "
                       "not have the one that stands for them",
                       count.local, shared);
  }
  return {};
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
