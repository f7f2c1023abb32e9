// Which objects one collection takes, in the collector's order.
#pragma once

#include "common/cpython/runtime.h"
#include "common/heap/heap.h"

#include <cstdint>
#include <vector>

namespace pygc::heap {

/// An object of a collected set; also of a round that replays it, and the node of its graph.
using SetIndex = Index<struct SetTag>;
template <class T> using SetArray = IndexedVector<SetIndex, T>;

/// The objects that update_refs gives a gc_refs, as deduce_unreachable finds them
/// (Python/gc.c and Modules/gcmodule.c, gc_collect_main), in the order of Collector::taken().
/// Immortal objects and those that cannot be used are left out.
struct CollectedSet {
  std::size_t interpreter = 0; // index into Runtime::interpreters
  SetArray<HeapIndex> heap_index;
  SetArray<Address> objects;
  SetArray<std::uint64_t> refcounts;
  std::uint64_t immortal = 0;
};

/// The spaces of `interpreter` that a collection of space `oldest` and all younger ones takes.
CollectedSet collect_spaces(const cpython::Runtime& runtime, const Heap& heap,
                            std::size_t interpreter, std::size_t oldest);

/// All spaces of an interpreter (indices) as a sweep takes them: those of a full collection in
/// their order, then the others, whose objects are only looked at.
std::vector<std::size_t> swept_spaces(const cpython::Runtime& runtime,
                                      const cpython::Interpreter& interpreter);

/// The space on which a collection was at work when the target stopped: the one with the most
/// objects that it is at work on. Empty when there is none.
const SpaceRange* space_in_progress(const cpython::Runtime& runtime, const Heap& heap,
                                    std::size_t interpreter);

/// That space alone, as CollectedSet.
CollectedSet collect_space(const cpython::Runtime& runtime, const Heap& heap,
                           const SpaceRange& space);

/// The objects that a collection was at work on: a replay must clear what it left in them first.
std::vector<Address> stale_collecting(const Heap& heap);

} // namespace pygc::heap
