#include "common/analysis/explore/retention.h"

#include "common/heap/components.h"

#include <algorithm>
#include <ranges>

namespace pygc::analysis {
namespace {

/// Adds the unreachable nodes that belong to a component which no other unreachable one visits.
void add_garbage_roots(const Collection& collection, std::vector<bool>& roots) {
  std::vector<bool> unreachable = collection.reachable;
  unreachable.flip();
  if (std::ranges::find(unreachable, true) == unreachable.end()) {
    return;
  }
  const heap::Components components = heap::strong_components(collection.graph, unreachable);
  std::vector<bool> visited(components.sizes.size(), false);
  const auto nodes = static_cast<std::uint32_t>(collection.graph.node_count());
  for (std::uint32_t node = 0; node < nodes; ++node) {
    if (!unreachable[node]) {
      continue;
    }
    for (const std::uint32_t other : collection.graph.referents(node)) {
      if (unreachable[other] && components.of(other) != components.of(node)) {
        visited[components.of(other)] = true;
      }
    }
  }
  for (std::uint32_t node = 0; node < nodes; ++node) {
    if (unreachable[node] && !visited[components.of(node)]) {
      roots[node] = true;
    }
  }
}

} // namespace

Retention find_retention(const Collection& collection, std::span<const std::uint64_t> sizes) {
  const std::size_t nodes = collection.graph.node_count();
  std::vector<bool> roots(nodes, false);
  for (std::size_t node = 0; node < nodes; ++node) {
    roots[node] = collection.gc_refs[heap::SetIndex(node)] != 0;
  }
  add_garbage_roots(collection, roots);
  Retention found{.tree = heap::find_dominators(collection.graph, roots, collection.reachable),
                  .bytes = {sizes.begin(), sizes.end()},
                  .objects = std::vector<std::uint32_t>(nodes, 1)};
  for (const std::uint32_t node : std::views::reverse(found.tree.order)) {
    const std::uint32_t parent = found.tree.parent[node];
    if (parent != heap::virtual_root) {
      found.bytes[parent] += found.bytes[node];
      found.objects[parent] += found.objects[node];
    }
  }
  return found;
}

} // namespace pygc::analysis
