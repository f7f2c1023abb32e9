#include "common/analysis/facts/reachability.h"

#include "common/heap/graph.h"
#include "common/heap/reachability.h"

namespace pygc::analysis {

Result<std::vector<bool>> find_reachable(replay::Replayer& replayer, const heap::CollectedSet& set,
                                         const replay::RoundResult& result,
                                         std::span<const Address> stale) {
  const auto graph = heap::Graph::build(replayer, set.objects, stale);
  if (!graph) {
    return std::unexpected(graph.error());
  }
  std::vector<std::uint32_t> roots;
  for (std::size_t i = 0; i < result.gc_refs.size(); ++i) {
    // Release builds store a negative gc_refs as a large positive one: the object survives.
    if (result.gc_refs[i] != 0) {
      roots.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return heap::reachable_from(*graph, roots);
}

} // namespace pygc::analysis
