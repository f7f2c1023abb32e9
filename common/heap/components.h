// The strongly connected components of a part of a graph: its cycles.
#pragma once

#include "common/heap/graph.h"
#include "common/heap/node_numbers.h"

#include <cstdint>
#include <vector>

namespace pygc::heap {

/// Of a node that is no member.
inline constexpr std::uint32_t no_component = UINT32_MAX;

struct Components {
  NodeNumbers members;
  std::vector<std::uint32_t> of_members; // by number of a member: its component
  std::vector<std::uint32_t> sizes;      // by component: its nodes
  std::vector<bool> cyclic;              // by component: a node reaches itself

  /// The component of a node, or no_component.
  std::uint32_t of(std::uint32_t node) const {
    return members.contains(node) ? of_members[members.number(node)] : no_component;
  }
};

/// By Tarjan's algorithm, without recursion; 16 bytes a member. Edges that leave the members do not
/// count. A component comes after those that it has edges to. `members`: one flag a node.
Components strong_components(const Graph& graph, const std::vector<bool>& members);

} // namespace pygc::heap
