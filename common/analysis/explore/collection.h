// One collection, replayed as deduce_unreachable does it: gc_refs, who visits whom, what is
// reachable.
#pragma once

#include "common/base/error.h"
#include "common/base/small_numbers.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/collected_set.h"
#include "common/heap/graph.h"
#include "common/replay/replay.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

/// Indices of nodes are those of the set, which is without refcounts: see refcount_of().
struct Collection {
  heap::CollectedSet set;
  /// As subtract_refs leaves it: the references that are no visits. The whole reference count where
  /// visits may be missing.
  SmallNumbers<heap::SetIndex, std::int64_t> gc_refs;
  heap::Graph graph;
  std::vector<bool> reachable; // has a gc_refs, or is visited by one that is reachable
};

/// gc_refs of these objects of the heap as subtract_refs leaves them. Errors: replayer, cancelled.
Result<replay::RoundResult> replay_gc_refs(const heap::Heap& heap, replay::Replayer& replayer,
                                           const heap::CollectedSet& set);

/// Of the interpreter's objects of that generation and the younger ones; without one: of all that
/// are not frozen. The replayer then has a visitor of ours, unless containers may visit what they
/// only borrow. Errors: replayer, cancelled, limit.
Result<Collection> replay_collection(const cpython::ObjectReader& reader, const heap::Heap& heap,
                                     replay::Replayer& replayer, std::size_t interpreter,
                                     std::optional<std::size_t> generation);

/// The reference count of an object of a collection.
std::uint64_t refcount_of(const cpython::Runtime& runtime, const heap::Heap& heap,
                          const Collection& collection, std::uint32_t node);

/// What makes answers from the heap and this replay incomplete, a sentence each. With one of these
/// what is unreachable is a lower bound: visits that are missing leave gc_refs too high.
std::vector<std::string> collection_lacks(const heap::Heap& heap,
                                          const std::vector<Collection>& collections);

} // namespace pygc::analysis
