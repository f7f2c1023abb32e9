// Which object stands on every way to another: what would be freed with it.
#pragma once

#include "common/heap/graph.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::heap {

/// In place of a node: it has no immediate dominator among the nodes.
inline constexpr std::uint32_t virtual_root = UINT32_MAX;

struct DominatorTree {
  /// By node: its immediate dominator; virtual_root where none of the nodes alone holds it.
  std::vector<std::uint32_t> parent;
  /// The nodes that the roots reach, each behind its dominators.
  std::vector<std::uint32_t> order;
};

/// The dominator tree of what a virtual root reaches that leads to `roots`, exact, by the SEMI-NCA
/// algorithm (Georgiadis, Linear-Time Algorithms for Dominators and Related Problems, 2005),
/// without recursion; 32 bytes a node. An edge counts only when both its ends are on the same of
/// two sides. `roots`, `side`: one flag a node.
DominatorTree find_dominators(const Graph& graph, const std::vector<bool>& roots,
                              const std::vector<bool>& side);

/// Walks a dominator tree: a node comes behind its parent and before its parent's next child.
class DominatorWalk {
public:
  explicit DominatorWalk(const DominatorTree& tree);

  /// Calls `enter(node)` on the way down and `leave(node)` on the way up, of all nodes, or of
  /// `start` and all that it dominates.
  template <class Enter, class Leave> void all(Enter&& enter, Leave&& leave) const {
    for (std::uint32_t top = first_top_; top != virtual_root; top = next_[top]) {
      below(top, enter, leave);
    }
  }
  template <class Enter, class Leave>
  void below(std::uint32_t start, Enter&& enter, Leave&& leave) const {
    std::uint32_t node = start;
    enter(node);
    while (true) {
      if (child_[node] != virtual_root) {
        node = child_[node];
        enter(node);
        continue;
      }
      while (node != start && next_[node] == virtual_root) {
        leave(node);
        node = tree_.parent[node];
      }
      leave(node);
      if (node == start) {
        return;
      }
      node = next_[node];
      enter(node);
    }
  }

private:
  const DominatorTree& tree_;
  std::vector<std::uint32_t> child_; // by node: the first that it dominates immediately
  std::vector<std::uint32_t> next_;  // by node: the next of its parent
  std::uint32_t first_top_ = virtual_root;
};

} // namespace pygc::heap
