#include "common/analysis/explore/collection.h"

#include "common/heap/reachability.h"

#include <fmt/format.h>

namespace pygc::analysis {

Result<Collection> replay_collection(const cpython::ObjectReader& reader, const heap::Heap& heap,
                                     replay::Replayer& replayer, std::size_t interpreter,
                                     std::optional<std::size_t> generation) {
  heap::CollectedSet set =
      heap::collect_generations(reader.runtime(), heap, interpreter, generation.value_or(SIZE_MAX));
  const std::vector<Address> stale = heap::stale_collecting(heap);
  auto replayed = replayer.run({.objects = set.objects,
                                .refcounts = set.refcounts,
                                .watched = {},
                                .clear_collecting = stale});
  if (!replayed) {
    return std::unexpected(replayed.error());
  }
  auto graph = heap::Graph::build(replayer, set.objects, stale);
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

std::vector<std::string> collection_lacks(const heap::Heap& heap,
                                          const std::vector<Collection>& collections) {
  std::uint64_t not_traversed = 0;
  std::uint64_t unknown = 0;
  for (const Collection& collection : collections) {
    not_traversed += collection.set.objects.size() - collection.replayed.traversed;
    unknown += collection.replayed.unknown.size();
  }
  std::vector<std::string> reasons;
  const auto add = [&reasons](std::uint64_t count, const char* what) {
    if (count != 0) {
      reasons.push_back(fmt::format("{} {}", count, what));
    }
  };
  add(heap.corruptions.size(), "damaged or missing places on the collector's lists");
  add(not_traversed, "traversals that did not come to their end");
  add(unknown, "objects whose gc_refs cannot be told");
  return reasons;
}

} // namespace pygc::analysis
