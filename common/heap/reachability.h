// What can be reached in a graph from where.
#pragma once

#include "common/heap/graph.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::heap {

/// One flag a node: true for `roots` and all that they reach, as move_unreachable does with what
/// has a gc_refs (Python/gc.c, Modules/gcmodule.c). Nodes that are none are passed over.
std::vector<bool> reachable_from(const Graph& graph, std::span<const std::uint32_t> roots);

} // namespace pygc::heap
