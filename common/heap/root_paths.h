// The shortest ways from roots to objects.
#pragma once

#include "common/heap/graph.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::heap {

/// From each of the nearest roots to one of `targets`: the nodes of a shortest path, the root
/// first. At most `limit` paths, the shortest first, each from another root; a root is not searched
/// beyond. Less than `limit` means that there are no further ones. `is_root`, `excluded`: one flag
/// a node; an excluded node is on no path. 4 bytes a node.
std::vector<std::vector<std::uint32_t>> paths_from_roots(const Graph& graph,
                                                         const std::vector<bool>& is_root,
                                                         const std::vector<bool>& excluded,
                                                         std::span<const std::uint32_t> targets,
                                                         std::size_t limit);

} // namespace pygc::heap
