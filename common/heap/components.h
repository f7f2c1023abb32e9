// The strongly connected components of a part of a graph: its cycles.
#pragma once

#include "common/heap/graph.h"

#include <cstdint>
#include <vector>

namespace pygc::heap {

/// Of a node that is no member.
inline constexpr std::uint32_t no_component = UINT32_MAX;

struct Components {
  std::vector<std::uint32_t> of;    // by node: its component, or no_component
  std::vector<std::uint32_t> sizes; // by component: its nodes
  std::vector<bool> cyclic;         // by component: a node reaches itself
};

/// By Tarjan's algorithm, without recursion; 16 bytes a node. Edges that leave the members do not
/// count. A component comes after those that it has edges to. `members`: one flag a node.
Components strong_components(const Graph& graph, const std::vector<bool>& members);

} // namespace pygc::heap
