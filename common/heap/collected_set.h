// Which objects one collection takes, in the collector's order.
#pragma once

#include "common/cpython/runtime.h"
#include "common/heap/heap.h"

#include <cstdint>
#include <vector>

namespace pygc::heap {

/// The objects that update_refs gives a gc_refs, as deduce_unreachable finds them
/// (Python/gc.c and Modules/gcmodule.c, gc_collect_main): the list of the collected generation,
/// then the younger ones merged behind it. Immortal objects and those that cannot be used are left
/// out.
struct CollectedSet {
  std::size_t interpreter = 0; // index into Runtime::interpreters
  std::vector<std::uint32_t> heap_index;
  std::vector<Address> objects;
  std::vector<std::uint64_t> refcounts;
  std::uint64_t immortal = 0;
};

/// The generations (indices) whose lists a collection of `generation` and all younger ones takes,
/// in the order in which gc_list_merge() joins them.
std::vector<std::size_t> joined_generations(const cpython::Interpreter& interpreter,
                                            std::size_t generation);

/// The lists of `interpreter` that a collection of `generation` and all younger ones takes.
CollectedSet collect_generations(const cpython::Runtime& runtime, const Heap& heap,
                                 std::size_t interpreter, std::size_t generation);

/// The list on which a collection was at work when the target stopped: the one whose objects have
/// COLLECTING set. Empty when there is none.
const ListRange* list_in_progress(const cpython::Runtime& runtime, const Heap& heap,
                                  std::size_t interpreter);

/// That list alone, as CollectedSet.
CollectedSet collect_list(const cpython::Runtime& runtime, const Heap& heap, const ListRange& list);

/// The objects that the lists hold with COLLECTING set: leftovers of a collection that was running,
/// which a replay must clear first.
std::vector<Address> stale_collecting(const Heap& heap);

} // namespace pygc::heap
