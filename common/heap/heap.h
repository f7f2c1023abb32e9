// The objects that the collectors of a target track, in flat arrays, and what is wrong with the
// spaces that hold them.
#pragma once

#include "common/base/error.h"
#include "common/base/index.h"
#include "common/base/small_numbers.h"
#include "common/cpython/collector/gc_state.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/runtime.h"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pygc::heap {

/// One space of an interpreter: objects [first, first + count) of Heap's arrays, in its order.
struct SpaceRange {
  std::size_t interpreter = 0; // index into Runtime::interpreters
  std::size_t space = 0;       // index into Interpreter::spaces
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t collecting = 0; // objects that a collection is at work on
};

enum class CorruptionKind : std::uint8_t {
  space,
  object,
  count,    // of references; free-threaded builds keep it in several fields
  unmerged, // its counts are to be merged, and nobody will
};

/// A space that does not hang together, an object that cannot be one, or a count that cannot be.
struct Corruption {
  CorruptionKind kind = CorruptionKind::space;
  std::size_t interpreter = 0;
  std::size_t space = 0;
  Address object = 0;          // where it shows; 0: the head of a list
  Address previous = 0;        // the object before it on the list, 0 for the head
  Address type = 0;            // the type object that is damaged, not the object alone; else 0
  std::string message;         // one sentence
  bool memory_missing = false; // the core lacks the memory: not a fault of the target
  bool in_motion = false;      // a thread was just changing it: no fault either
};

using HeapIndex = Index<struct HeapTag>;
template <class T> using HeapArray = IndexedVector<HeapIndex, T>;

/// The type of each object: two bytes, for a heap has few types.
class TypeColumn {
public:
  Address operator[](HeapIndex index) const { return distinct_[numbers_[index]]; }
  std::size_t size() const { return numbers_.size(); }
  /// Each type once, in the order of their first objects.
  const std::vector<Address>& distinct() const { return distinct_; }

  void reserve(std::size_t count) { numbers_.reserve(count); }
  void push_back(Address type) { numbers_.push_back(number_of(type)); }
  void set(HeapIndex index, Address type) { numbers_.set(index, number_of(type)); }
  void truncate(std::size_t count) { numbers_.truncate(count); }

private:
  std::uint32_t number_of(Address type) {
    if (distinct_.empty() || type != last_type_) {
      const auto [at, added] = known_.emplace(type, static_cast<std::uint32_t>(distinct_.size()));
      if (added) {
        distinct_.push_back(type);
      }
      last_type_ = type;
      last_number_ = at->second;
    }
    return last_number_;
  }

  SmallNumbers<HeapIndex, std::uint32_t> numbers_; // indices into distinct_
  std::vector<Address> distinct_;
  std::unordered_map<Address, std::uint32_t> known_;
  Address last_type_ = 0; // objects of one type often follow each other
  std::uint32_t last_number_ = 0;
};

/// About 14 bytes an object.
struct Heap {
  HeapArray<Address> objects;                       // PyObject addresses
  SmallNumbers<HeapIndex, std::uint64_t> refcounts; // as cpython::load_refcount() gives them
  SmallNumbers<HeapIndex, cpython::GcState> states; // what the collector has noted
  TypeColumn types;                                 // ob_type
  HeapArray<bool> usable;                           // false: not to be traversed (see corruptions)
  std::vector<SpaceRange> spaces;                   // by interpreter, then space
  std::vector<Corruption> corruptions;
  std::vector<Corruption> counts; // of objects that can be used all the same
  std::size_t unreadable = 0;     // objects of a space that cannot be used
};

/// Walks every space of every interpreter, as the collector's HeapSource does.
/// `cancelled` is asked every few thousand objects. Errors: cancelled, limit.
Result<Heap> walk_heap(cpython::ObjectReader& reader, const std::function<bool()>& cancelled);

} // namespace pygc::heap
