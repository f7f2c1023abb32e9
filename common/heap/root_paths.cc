#include "common/heap/root_paths.h"

namespace pygc::heap {
namespace {

constexpr std::uint32_t unseen = UINT32_MAX;

} // namespace

std::vector<std::vector<std::uint32_t>> paths_from_roots(const Graph& graph,
                                                         const std::vector<bool>& is_root,
                                                         const std::vector<bool>& excluded,
                                                         std::span<const std::uint32_t> targets,
                                                         std::size_t limit) {
  std::vector<std::uint32_t> next(graph.node_count(), unseen); // towards the target; itself there
  std::vector<std::uint32_t> queue;
  for (const std::uint32_t target : targets) {
    if (target < next.size() && next[target] == unseen && !excluded[target]) {
      next[target] = target;
      queue.push_back(target);
    }
  }
  std::vector<std::vector<std::uint32_t>> paths;
  for (std::size_t i = 0; i < queue.size() && paths.size() < limit; ++i) {
    const std::uint32_t node = queue[i];
    if (is_root[node]) {
      std::vector<std::uint32_t>& path = paths.emplace_back(1, node);
      while (next[path.back()] != path.back()) {
        path.push_back(next[path.back()]);
      }
      continue;
    }
    for (const std::uint32_t referrer : graph.referrers(node)) {
      if (next[referrer] == unseen && !excluded[referrer]) {
        next[referrer] = node;
        queue.push_back(referrer);
      }
    }
  }
  return paths;
}

} // namespace pygc::heap
