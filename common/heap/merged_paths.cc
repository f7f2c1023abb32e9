#include "common/heap/merged_paths.h"

#include <algorithm>
#include <ranges>
#include <tuple>
#include <unordered_map>

namespace pygc::heap {
namespace {

constexpr std::uint32_t none = UINT32_MAX;
constexpr std::uint32_t steps_apart = 16; // from where on a row of one kind counts as one step

/// The last step of a way.
struct Step {
  std::uint32_t before = none; // the way before it; none: a root
  std::uint32_t what = 0;      // a node, or a kind of nodes
  bool itself = false;         // it is a node
  bool target = false;
  bool operator==(const Step&) const = default;
};

struct StepHash {
  std::size_t operator()(const Step& step) const {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    const std::uint64_t words = std::uint64_t{step.before} << 32 | step.what;
    const std::uint64_t flags = (step.itself ? 1U : 0U) | (step.target ? 2U : 0U);
    return (words ^ words >> 29 ^ flags << 61) * odd;
  }
};

class Merger {
public:
  Merger(const Graph& graph, const std::vector<bool>& is_root, const std::vector<bool>& excluded,
         std::span<const std::uint32_t> targets, std::span<const std::uint32_t> kinds)
      : graph_(graph), kinds_(kinds), from_(graph.node_count(), none), is_target_(from_.size()) {
    for (const std::uint32_t target : targets) {
      is_target_[target] = true;
    }
    walk(is_root, excluded);
  }

  MergedPaths run() {
    count();
    sign();
    MergedPaths merged{.paths = {}, .reached = reached_, .nested = reached_};
    for (const auto& [way, group] : groups_) {
      MergedPath path{.targets = group.targets, .nodes = {group.target}, .common = {}};
      while (from_[path.nodes.back()] != path.nodes.back()) {
        path.nodes.push_back(from_[path.nodes.back()]);
      }
      std::ranges::reverse(path.nodes);
      for (std::size_t i = 0; i < path.nodes.size(); ++i) {
        path.common.push_back(group.targets == 1 || (i < steps_apart && is_common(path.nodes[i])));
      }
      merged.nested -= group.targets;
      merged.paths.push_back(std::move(path));
    }
    std::ranges::sort(merged.paths, [](const MergedPath& a, const MergedPath& b) {
      return std::tuple(b.targets, a.nodes.size(), a.nodes.back()) <
             std::tuple(a.targets, b.nodes.size(), b.nodes.back());
    });
    return merged;
  }

private:
  struct Group {
    std::uint64_t targets = 0;
    std::uint32_t target = 0; // the first of them
  };

  /// Breadth first: where the shortest path to each node comes from, itself for a root.
  void walk(const std::vector<bool>& is_root, const std::vector<bool>& excluded) {
    for (std::uint32_t node = 0; node < from_.size(); ++node) {
      if (is_root[node] && !excluded[node]) {
        from_[node] = node;
        order_.push_back(node);
      }
    }
    for (std::size_t i = 0; i < order_.size(); ++i) {
      for (const std::uint32_t referent : graph_.referents(order_[i])) {
        if (from_[referent] == none && !excluded[referent]) {
          from_[referent] = order_[i];
          order_.push_back(referent);
        }
      }
    }
  }

  /// How many targets are reached through each node, and through no other target behind it.
  void count() {
    through_.assign(from_.size(), 0);
    for (const std::uint32_t node : std::views::reverse(order_)) {
      if (is_target_[node]) {
        ++reached_;
        through_[node] = 1;
      }
      if (from_[node] != node) {
        through_[from_[node]] += through_[node];
      }
    }
  }

  bool is_common(std::uint32_t node) const { return through_[node] > 1; }

  /// Numbers the ways: that of a node is the way of the node before it and what it is itself.
  void sign() {
    std::unordered_map<Step, std::uint32_t, StepHash> known;
    ways_.assign(from_.size(), none);
    steps_.assign(from_.size(), 0);
    for (const std::uint32_t node : order_) {
      const std::uint32_t from = from_[node];
      const bool root = from == node;
      if (through_[node] == 0 || (!root && (ways_[from] == none || is_target_[from]))) {
        continue;
      }
      steps_[node] = root ? 0 : steps_[from] + 1;
      if (!root && !is_target_[node] && steps_[node] >= steps_apart &&
          kinds_[node] == kinds_[from]) {
        ways_[node] = ways_[from];
      } else {
        const bool itself = is_common(node) && steps_[node] < steps_apart;
        const Step step{.before = root ? none : ways_[from],
                        .what = itself ? node : kinds_[node],
                        .itself = itself,
                        .target = is_target_[node]};
        const auto number = static_cast<std::uint32_t>(known.size());
        ways_[node] = known.try_emplace(step, number).first->second;
      }
      if (is_target_[node]) {
        Group& group = groups_.try_emplace(ways_[node], Group{.target = node}).first->second;
        ++group.targets;
      }
    }
  }

  const Graph& graph_;
  std::span<const std::uint32_t> kinds_;
  std::vector<std::uint32_t> from_;
  std::vector<bool> is_target_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint64_t> through_;
  std::vector<std::uint32_t> ways_;  // none: behind a target, or there is no target behind it
  std::vector<std::uint32_t> steps_; // from the root
  std::uint64_t reached_ = 0;
  std::unordered_map<std::uint32_t, Group> groups_;
};

} // namespace

MergedPaths merge_paths(const Graph& graph, const std::vector<bool>& is_root,
                        const std::vector<bool>& excluded, std::span<const std::uint32_t> targets,
                        std::span<const std::uint32_t> kinds) {
  return Merger(graph, is_root, excluded, targets, kinds).run();
}

} // namespace pygc::heap
