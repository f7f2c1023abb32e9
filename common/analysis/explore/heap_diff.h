// What has changed between two heaps, by type.
#pragma once

#include "common/analysis/explore/heap_census.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::analysis {

struct TypeChange {
  std::string type; // as CensusType has it
  std::uint64_t old_objects = 0;
  std::uint64_t new_objects = 0;
  cpython::ObjectSize old_size;
  cpython::ObjectSize new_size;
  std::uint64_t kept = 0; // of one process: objects of the type at one address in both

  std::int64_t growth() const {
    return static_cast<std::int64_t>(new_size.bytes) - static_cast<std::int64_t>(old_size.bytes);
  }
};

struct HeapDiff {
  /// Both are of one process, as far as can be told: the same number, and its state and sys.modules
  /// at the same places.
  bool same_process = false;
  std::vector<TypeChange> types; // those that changed, the largest growth first
  std::uint64_t unchanged = 0;   // types with the same numbers, and of one process the same objects
  TypeChange total;              // of all types; `type` is empty
  /// Of one process: objects of the types asked for that the new heap alone has; ascending.
  std::vector<Address> new_objects;
};

/// `old_pid`, `new_pid`: 0 when it is not known.
HeapDiff compare_heaps(const HeapCensus& old_heap, std::int64_t old_pid, const HeapCensus& new_heap,
                       std::int64_t new_pid);

} // namespace pygc::analysis
