// The objects of a free-threaded build whose owners are to merge their counts (Python/brc.c): each
// thread has a queue that others fill, and one that it takes them over to.
#pragma once

#include "common/cpython/runtime.h"
#include "common/image/address_space.h"

#include <cstdint>
#include <string>
#include <unordered_set>

namespace pygc::cpython {

struct MergeQueues {
  /// Whether `objects` and `owners` are all; else nothing follows from what they lack.
  bool known = false;
  std::unordered_set<Address> objects;      // each waits with a reference more
  std::unordered_set<std::uint64_t> owners; // ids, as ob_tid has them, of the threads there are
  std::string problem; // why they are not known although the layout has them; a sentence
  bool memory_missing = false;
};

/// Of the threads of all interpreters.
MergeQueues read_merge_queues(const image::AddressSpace& memory, const Runtime& runtime);

} // namespace pygc::cpython
