#include "common/analysis/explore/collection.h"

#include "common/analysis/facts/replay_lacks.h"
#include "common/heap/reachability.h"

namespace pygc::analysis {

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
  auto replayed = replay_gc_refs(heap, replayer, set);
  if (!replayed) {
    return std::unexpected(replayed.error());
  }
  set.refcounts = {}; // the graph is what takes most memory
  auto graph =
      heap::Graph::build(replayer, set.objects, heap::stale_collecting(heap), replayed->visits);
  if (!graph) {
    return std::unexpected(graph.error());
  }
  std::vector<std::uint32_t> roots;
  for (std::size_t i = 0; i < replayed->gc_refs.size(); ++i) {
    // Release builds store a negative gc_refs as a large positive one: the object survives.
    if (replayed->gc_refs[i] != 0) {
      roots.push_back(static_cast<std::uint32_t>(i));
    }
  }
  std::vector<bool> reachable = heap::reachable_from(*graph, roots);
  return Collection{.set = std::move(set),
                    .replayed = std::move(*replayed),
                    .graph = std::move(*graph),
                    .reachable = std::move(reachable)};
}

std::uint64_t refcount_of(const cpython::Runtime& runtime, const heap::Heap& heap,
                          const Collection& collection, std::uint32_t node) {
  return runtime.refcount(heap.refcounts[collection.set.heap_index[heap::SetIndex(node)]]);
}

std::vector<std::string> collection_lacks(const heap::Heap& heap,
                                          const std::vector<Collection>& collections) {
  ReplayLacks lacks{.damaged = heap.corruptions.size()};
  for (const Collection& collection : collections) {
    lacks.add(collection.set.objects.size(), collection.replayed);
  }
  return lacks.sentences();
}

} // namespace pygc::analysis
