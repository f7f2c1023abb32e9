// The objects that the collectors of a target track, in flat arrays, and what is wrong with the
// lists that hold them.
#pragma once

#include "common/base/error.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/runtime.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pygc::heap {

/// Bits of _gc_prev and _gc_next (Include/internal/pycore_gc.h, 3.8+).
inline constexpr std::uint64_t prev_mask_finalized = 1;
inline constexpr std::uint64_t prev_mask_collecting = 2;
inline constexpr unsigned prev_shift = 2;
inline constexpr std::uint64_t flag_bits = 3;

/// One list of an interpreter: objects [first, first + count) of Heap's arrays, in list order.
struct ListRange {
  std::size_t interpreter = 0; // index into Runtime::interpreters
  std::size_t generation = 0;  // index into Interpreter::generations
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t collecting = 0; // objects with COLLECTING set
};

enum class CorruptionKind : std::uint8_t { list, object };

/// A list that does not hang together, or an object that cannot be one.
struct Corruption {
  CorruptionKind kind = CorruptionKind::list;
  std::size_t interpreter = 0;
  std::size_t generation = 0;
  Address object = 0;          // the object (not its PyGC_Head) where it shows
  Address previous = 0;        // the object before it on the list, 0 for the head
  Address type = 0;            // the type object that is damaged, not the object alone; else 0
  std::string message;         // one sentence
  bool memory_missing = false; // the core lacks the memory: not a fault of the target
};

struct Heap {
  std::vector<Address> objects;         // PyObject addresses
  std::vector<std::uint64_t> refcounts; // ob_refcnt as stored
  std::vector<std::uint64_t> gc_prev;   // _gc_prev as stored
  std::vector<Address> types;           // ob_type
  std::vector<bool> usable;             // false: not to be traversed (see corruptions)
  std::vector<ListRange> lists;         // by interpreter, then generation
  std::vector<Corruption> corruptions;
  std::size_t unreadable = 0; // objects seen on a list that cannot be used

  /// The collector is at work on the object (COLLECTING): gc_prev holds its gc_refs.
  bool is_collecting(std::size_t index) const {
    return (gc_prev[index] & prev_mask_collecting) != 0;
  }
  /// gc_refs as the collector stored it; meaningful while it is at work on the object.
  std::int64_t stored_gc_refs(std::size_t index) const {
    return static_cast<std::int64_t>(gc_prev[index]) >> prev_shift;
  }
};

/// Walks every list of every interpreter. A broken list is walked on from its other end.
/// `cancelled` is asked every few thousand objects. Errors: cancelled, limit.
Result<Heap> walk_heap(cpython::ObjectReader& reader, const std::function<bool()>& cancelled);

} // namespace pygc::heap
