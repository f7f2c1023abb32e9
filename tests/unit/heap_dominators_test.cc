// Dominators against their definition: a node dominates what cannot be reached without it.
#include "common/heap/dominators.h"
#include "tests/unit/support/small_graph.h"

#include <gmock/gmock.h>
#include <random>

namespace pygc::heap {
namespace {

using replay::Edge;
using ::testing::ElementsAre;
using tests::graph_of;

struct Sample {
  std::size_t nodes = 0;
  std::vector<Edge> edges;
  std::vector<bool> roots;
  std::vector<bool> side;
};

Sample random_sample(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  Sample sample;
  sample.nodes = 2 + below(30);
  const std::size_t degree = 1 + below(4);
  const bool two_sides = below(3) == 0;
  for (std::uint32_t node = 0; node < sample.nodes; ++node) {
    for (std::size_t i = below(degree + 1); i > 0; --i) {
      sample.edges.push_back({node, below(sample.nodes)});
    }
    sample.roots.push_back(below(6) == 0);
    sample.side.push_back(two_sides && below(4) == 0);
  }
  return sample;
}

/// What the roots reach when `without` is not there.
std::vector<bool> reached(const Sample& sample, std::uint32_t without) {
  std::vector<bool> found(sample.nodes, false);
  for (std::uint32_t node = 0; node < sample.nodes; ++node) {
    found[node] = sample.roots[node] && node != without;
  }
  for (bool more = true; more;) {
    more = false;
    for (const Edge& edge : sample.edges) {
      if (found[edge.container] && !found[edge.object] && edge.object != without &&
          sample.side[edge.container] == sample.side[edge.object]) {
        found[edge.object] = more = true;
      }
    }
  }
  return found;
}

TEST(HeapDominators, AreWhatTheDefinitionSays) {
  std::size_t dominated = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    const Sample sample = random_sample(seed);
    const std::vector<bool> alive = reached(sample, virtual_root);
    std::vector<std::vector<std::uint32_t>> dominators(sample.nodes);
    for (std::uint32_t node = 0; node < sample.nodes; ++node) {
      const std::vector<bool> rest = reached(sample, node);
      for (std::uint32_t other = 0; other < sample.nodes; ++other) {
        if (other != node && alive[other] && !rest[other]) {
          dominators[other].push_back(node);
        }
      }
    }
    const DominatorTree tree =
        find_dominators(graph_of(sample.nodes, sample.edges), sample.roots, sample.side);
    for (std::uint32_t node = 0; node < sample.nodes; ++node) {
      // The nearest one is dominated by all the others.
      std::uint32_t nearest = virtual_root;
      for (const std::uint32_t each : dominators[node]) {
        if (dominators[each].size() + 1 == dominators[node].size()) {
          nearest = each;
        }
      }
      ASSERT_EQ(tree.parent[node], nearest) << "seed " << seed << " node " << node;
      dominated += nearest == virtual_root ? 0 : 1;
    }
    std::vector<bool> seen(sample.nodes, false);
    for (const std::uint32_t node : tree.order) {
      ASSERT_TRUE(tree.parent[node] == virtual_root || seen[tree.parent[node]]);
      seen[node] = true;
    }
    ASSERT_EQ(seen, alive) << "seed " << seed;
  }
  EXPECT_GT(dominated, 2000U);
}

TEST(HeapDominators, AreWalkedDownAndUp) {
  // 0 -> 1 -> 2, 1 -> 3, 4 -> 3; 0 and 4 are roots, 5 is not reached
  const Graph graph = graph_of(6, {{0, 1}, {1, 2}, {1, 3}, {4, 3}});
  const DominatorTree tree =
      find_dominators(graph, {true, false, false, false, true, false}, std::vector<bool>(6, false));
  EXPECT_EQ(tree.parent[2], 1U);
  EXPECT_EQ(tree.parent[3], virtual_root);
  const DominatorWalk walk(tree);
  std::vector<int> steps;
  const auto enter = [&steps](std::uint32_t node) { steps.push_back(static_cast<int>(node)); };
  const auto leave = [&steps](std::uint32_t node) { steps.push_back(-static_cast<int>(node)); };
  walk.below(1, enter, leave);
  EXPECT_THAT(steps, ElementsAre(1, 2, -2, -1));
  steps.clear();
  walk.all(enter, leave);
  EXPECT_THAT(steps, ElementsAre(0, 1, 2, -2, -1, 0, 3, -3, 4, -4));
}

TEST(HeapDominators, FollowLongPathsWithoutRecursion) {
  constexpr std::uint32_t count = 1'000'000;
  std::vector<Edge> edges;
  std::vector<bool> roots(count, false);
  roots[0] = true;
  for (std::uint32_t node = 0; node < count; ++node) {
    edges.push_back({node, (node + 1) % count});
  }
  const DominatorTree tree =
      find_dominators(graph_of(count, edges), roots, std::vector<bool>(count, false));
  for (std::uint32_t node = 1; node < count; ++node) {
    ASSERT_EQ(tree.parent[node], node - 1);
  }
}

} // namespace
} // namespace pygc::heap
