#include "common/heap/dominators.h"

#include <algorithm>
#include <ranges>

namespace pygc::heap {
namespace {

/// Nodes are numbered in the order of a depth-first search: 0 is the virtual root, 0 as the number
/// of a node says that the search has not come to it.
class SemiNca {
public:
  SemiNca(const Graph& graph, const std::vector<bool>& roots, const std::vector<bool>& side)
      : graph_(graph), roots_(roots), side_(side), number_(graph.node_count(), 0) {}

  DominatorTree run() {
    search();
    find_semidominators();
    return find_tree();
  }

private:
  struct Step {
    std::uint32_t node = 0;
    std::uint32_t edge = 0; // of the node's referents: the next one to look at
  };

  void enter(std::uint32_t node, std::uint32_t parent) {
    order_.push_back(node);
    number_[node] = static_cast<std::uint32_t>(order_.size());
    parent_.push_back(parent);
    path_.push_back({node, 0});
  }

  void search() {
    parent_.push_back(0);
    for (std::uint32_t root = 0; root < graph_.node_count(); ++root) {
      if (!roots_[root] || number_[root] != 0) {
        continue;
      }
      enter(root, 0);
      while (!path_.empty()) {
        Step& step = path_.back();
        const auto referents = graph_.referents(step.node);
        if (step.edge == referents.size()) {
          path_.pop_back();
          continue;
        }
        const std::uint32_t other = referents[step.edge++];
        if (number_[other] == 0 && side_[other] == side_[step.node]) {
          enter(other, number_[step.node]);
        }
      }
    }
    path_ = {};
  }

  /// Of v and its ancestors that are `linked` or later, which have been dealt with: the one with
  /// the smallest semidominator. Shortens the way there for the next time.
  std::uint32_t evaluate(std::uint32_t v, std::uint32_t linked) {
    if (ancestor_[v] < linked) {
      return label_[v];
    }
    do {
      way_.push_back(v);
      v = ancestor_[v];
    } while (ancestor_[v] >= linked);
    std::uint32_t above = v;
    std::uint32_t best = label_[v];
    while (!way_.empty()) {
      v = way_.back();
      way_.pop_back();
      ancestor_[v] = ancestor_[above];
      if (semi_[best] < semi_[label_[v]]) {
        label_[v] = best;
      } else {
        best = label_[v];
      }
      above = v;
    }
    return label_[v];
  }

  void find_semidominators() {
    const auto count = static_cast<std::uint32_t>(parent_.size());
    ancestor_ = parent_;
    semi_.resize(count);
    label_.resize(count);
    for (std::uint32_t v = 0; v < count; ++v) {
      label_[v] = v;
      semi_[v] = v;
    }
    for (std::uint32_t v = count; v-- > 1;) {
      const std::uint32_t node = order_[v - 1];
      semi_[v] = roots_[node] ? 0 : parent_[v];
      for (const std::uint32_t referrer : graph_.referrers(node)) {
        if (number_[referrer] != 0 && side_[referrer] == side_[node]) {
          semi_[v] = std::min(semi_[v], semi_[evaluate(number_[referrer], v + 1)]);
        }
      }
    }
    ancestor_ = {};
    label_ = {};
  }

  /// The immediate dominator is the nearest common ancestor of the parent and the semidominator in
  /// the tree so far.
  DominatorTree find_tree() {
    DominatorTree tree;
    tree.parent.assign(graph_.node_count(), virtual_root);
    for (std::uint32_t v = 1; v < parent_.size(); ++v) {
      std::uint32_t dominator = parent_[v];
      while (dominator > semi_[v]) {
        dominator = parent_[dominator];
      }
      parent_[v] = dominator;
      tree.parent[order_[v - 1]] = dominator == 0 ? virtual_root : order_[dominator - 1];
    }
    tree.order = std::move(order_);
    return tree;
  }

  const Graph& graph_;
  const std::vector<bool>& roots_;
  const std::vector<bool>& side_;
  std::vector<std::uint32_t> number_; // by node
  std::vector<std::uint32_t> order_;  // by number - 1: the node
  // By number:
  std::vector<std::uint32_t> parent_;   // of the search's tree, later of the dominator tree
  std::vector<std::uint32_t> ancestor_; // the same, shortened
  std::vector<std::uint32_t> label_;
  std::vector<std::uint32_t> semi_;
  std::vector<Step> path_;
  std::vector<std::uint32_t> way_;
};

} // namespace

DominatorTree find_dominators(const Graph& graph, const std::vector<bool>& roots,
                              const std::vector<bool>& side) {
  return SemiNca(graph, roots, side).run();
}

DominatorWalk::DominatorWalk(const DominatorTree& tree)
    : tree_(tree), child_(tree.parent.size(), virtual_root),
      next_(tree.parent.size(), virtual_root) {
  for (const std::uint32_t node : std::views::reverse(tree.order)) {
    std::uint32_t& first =
        tree.parent[node] == virtual_root ? first_top_ : child_[tree.parent[node]];
    next_[node] = first;
    first = node;
  }
}

} // namespace pygc::heap
