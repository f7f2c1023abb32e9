// The shortest ways from roots to many objects, those that are alike folded into one.
#pragma once

#include "common/heap/graph.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::heap {

struct MergedPath {
  std::uint64_t targets = 0;        // that such a path leads to
  std::vector<std::uint32_t> nodes; // one of these paths, the root first
  std::vector<bool> common;         // by node: it lies on all of them, itself
};

struct MergedPaths {
  std::vector<MergedPath> paths; // most targets first, then the shortest
  std::uint64_t reached = 0;     // targets to which a path leads
  std::uint64_t nested = 0;      // of them, those to which it leads through another target
};

/// Each target has one path: a shortest one from any root. Two paths are alike when step by step
/// they have the same node where several paths run through it, else nodes of one kind; from the
/// 16th step on nodes of one kind in a row count as one (a linked list is one way, not thousands).
/// Targets behind another target are counted with none. `is_root`, `excluded`: one flag a node; an
/// excluded node is on no path. `kinds`: one a node. 24 bytes a node.
MergedPaths merge_paths(const Graph& graph, const std::vector<bool>& is_root,
                        const std::vector<bool>& excluded, std::span<const std::uint32_t> targets,
                        std::span<const std::uint32_t> kinds);

} // namespace pygc::heap
