#include "common/analysis/explore/collection.h"

#include "common/analysis/facts/replay_lacks.h"
#include "common/heap/reachability.h"

#include <algorithm>
#include <span>

namespace pygc::analysis {
namespace {

// Of room made ahead: where counts promise more visits it is made as they come.
constexpr std::uint64_t visits_each = 64;

/// A heap in order has no more visits than references.
std::size_t visits_at_most(std::span<const std::uint64_t> refcounts) {
  const std::uint64_t limit = refcounts.size() * visits_each;
  std::uint64_t sum = 0;
  for (const std::uint64_t refcount : refcounts) {
    sum += std::min(refcount, limit - sum);
  }
  return sum;
}

} // namespace

Result<replay::RoundResult> replay_gc_refs(const heap::Heap& heap, replay::Replayer& replayer,
                                           const heap::CollectedSet& set) {
  return replayer.run({.objects = set.objects,
                       .refcounts = set.refcounts,
                       .watched = {},
                       .clear_collecting = heap::stale_collecting(heap)});
}

Result<Collection> replay_collection(const cpython::ObjectReader& reader, const heap::Heap& heap,
                                     replay::Replayer& replayer, std::size_t interpreter,
                                     std::optional<std::size_t> generation) {
  heap::CollectedSet set =
      heap::collect_spaces(reader.runtime(), heap, interpreter, generation.value_or(SIZE_MAX));
  const std::size_t expected = visits_at_most(set.refcounts);
  set.refcounts = {}; // the graph is what takes most memory
  // It would have each object traversed once more. Where nothing is borrowed ours visits the same.
  if (!reader.runtime().layout.stack_ref_size) {
    replayer.use_visitor(0);
  }
  auto graph = heap::Graph::build(replayer, set.objects, heap::stale_collecting(heap), expected);
  if (!graph) {
    return std::unexpected(graph.error());
  }
  Collection collection{
      .set = std::move(set), .gc_refs = {}, .graph = std::move(*graph), .reachable = {}};
  const std::vector<std::uint32_t>& unknown = collection.graph.replayed().unknown;
  collection.gc_refs.reserve(collection.set.objects.size());
  std::vector<std::uint32_t> roots;
  for (std::uint32_t node = 0; node < collection.set.objects.size(); ++node) {
    const bool is_known = !std::ranges::binary_search(unknown, node);
    const std::int64_t gc_refs =
        static_cast<std::int64_t>(refcount_of(reader.runtime(), heap, collection, node)) -
        (is_known ? collection.graph.visits_of(node) : 0);
    collection.gc_refs.push_back(gc_refs);
    // Release builds store a negative gc_refs as a large positive one: the object survives.
    if (gc_refs != 0) {
      roots.push_back(node);
    }
  }
  collection.reachable = heap::reachable_from(collection.graph, roots);
  return collection;
}

std::uint64_t refcount_of(const cpython::Runtime& runtime, const heap::Heap& heap,
                          const Collection& collection, std::uint32_t node) {
  return runtime.refcount(heap.refcounts[collection.set.heap_index[heap::SetIndex(node)]]);
}

std::vector<std::string> collection_lacks(const heap::Heap& heap,
                                          const std::vector<Collection>& collections) {
  ReplayLacks lacks{.damaged = heap.corruptions.size()};
  for (const Collection& collection : collections) {
    const replay::EdgesResult& replayed = collection.graph.replayed();
    lacks.add(collection.set.objects.size(), replayed.traversed, replayed.unknown.size());
  }
  return lacks.sentences();
}

} // namespace pygc::analysis
