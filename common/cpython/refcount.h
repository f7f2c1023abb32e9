// The reference count of an object, in whichever fields its build keeps it.
#pragma once

#include "common/base/error.h"
#include "common/cpython/layout.h"
#include "common/image/address_space.h"

#include <cstdint>
#include <string>

namespace pygc::cpython {

/// What load_refcount() gives for an immortal object of a free-threaded build
/// (_Py_IMMORTAL_REFCNT_LOCAL, Include/refcount.h).
inline constexpr std::uint64_t immortal_refcount = 0xffff'ffffU;

/// The fields of an object of a free-threaded build that say how often it is referred to, and
/// who may change what (Include/object.h, Python/brc.c).
struct BiasedCount {
  std::uint64_t tid = 0;    // of the thread that owns it; 0: nobody, the counts are merged
  std::uint8_t gc_bits = 0; // gc_bits.h
  std::uint32_t local = 0;
  std::int64_t shared = 0; // with flags in the low two bits

  bool is_immortal() const { return local == immortal_refcount; }
  /// References of its own besides those that are counted: what stands for them keeps it alive
  /// until a collection finds it unreachable.
  bool is_deferred() const;
  bool is_merged() const { return (shared & 3) == 3; }
  /// Its owner is to merge the counts, and the queue that says so holds a reference.
  bool is_queued() const;
  /// A thread is at it, between two stores that belong together: the count cannot be told.
  bool is_being_merged() const {
    return !is_immortal() && !is_merged() && local == 0 && (tid == 0 || shared != 0);
  }
  /// What update_refs begins with, when the queues are merged: without the reference that a queue
  /// holds and the one that stands for deferred ones.
  std::int64_t references() const { return references(is_queued()); }
  /// The same where it is known whether the object is on a queue: it may be merged all the same,
  /// and one that says it is queued may be on none.
  std::int64_t references(bool on_queue) const;
};

/// What cannot be of an object of a process in which no collection runs and no thread is at it.
enum class CountFault : std::uint8_t {
  none,
  owned_after_merging, // merged, but there is an owner, or a count that it alone has
  unowned,             // not merged, with a count that an owner alone has, but no owner
  impossible_owner,    // ob_tid is the address of no thread
  negative_shared,     // that only an object which is queued can have
  marked_unreachable,  // which only a collection does, and takes back
  not_deferred,        // the bit is set, but nothing in the counts stands for deferred references
};
/// As validate_refcounts() has it, and what Python/brc.c and _Py_DecRefShared() keep to.
CountFault fault_of(const BiasedCount& count);
/// A sentence's predicate: "is merged, but owned by the thread at 0x7f..."; empty for none.
std::string describe(CountFault fault, const BiasedCount& count);

/// Errors: memory_*.
Result<BiasedCount> load_biased_count(const image::AddressSpace& memory,
                                      const FreeThreadedLayout& layout, Address object);

/// ob_refcnt as stored; free-threaded: BiasedCount::references(), or immortal_refcount.
/// Errors: memory_*.
Result<std::uint64_t> load_refcount(const image::AddressSpace& memory, const Layout& layout,
                                    Address object);

} // namespace pygc::cpython
