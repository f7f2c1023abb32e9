#include "common/heap/reachability.h"

namespace pygc::heap {

std::vector<bool> reachable_from(const Graph& graph, std::span<const std::uint32_t> roots) {
  std::vector<bool> reached(graph.node_count(), false);
  std::vector<std::uint32_t> pending;
  const auto reach = [&](std::uint32_t node) {
    if (node < reached.size() && !reached[node]) {
      reached[node] = true;
      pending.push_back(node);
    }
  };
  for (const std::uint32_t root : roots) {
    reach(root);
    while (!pending.empty()) {
      const std::uint32_t node = pending.back();
      pending.pop_back();
      for (const std::uint32_t object : graph.referents(node)) {
        reach(object);
      }
    }
  }
  return reached;
}

} // namespace pygc::heap
