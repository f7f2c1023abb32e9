// Cycles of a graph made by hand.
#include "common/heap/components.h"
#include "tests/unit/support/small_graph.h"

#include <gmock/gmock.h>

namespace pygc::heap {
namespace {

using replay::Edge;
using tests::graph_of;

TEST(HeapComponents, TellsCyclesFromWhatHangsOnThem) {
  // 0 -> 1 -> 2 -> 0, 2 -> 3, 4 -> 4, 5 -> 0
  const Graph graph = graph_of(6, {{0, 1}, {1, 2}, {2, 0}, {2, 3}, {4, 4}, {5, 0}});
  const Components found = strong_components(graph, std::vector<bool>(6, true));
  EXPECT_EQ(found.of(0), found.of(1));
  EXPECT_EQ(found.of(1), found.of(2));
  EXPECT_EQ(found.sizes.size(), 4U);
  EXPECT_EQ(found.sizes[found.of(0)], 3U);
  EXPECT_TRUE(found.cyclic[found.of(0)]);
  EXPECT_TRUE(found.cyclic[found.of(4)]);
  EXPECT_FALSE(found.cyclic[found.of(3)]);
  EXPECT_FALSE(found.cyclic[found.of(5)]);
  EXPECT_LT(found.of(3), found.of(0));
  EXPECT_LT(found.of(0), found.of(5));
}

TEST(HeapComponents, LooksAtMembersAlone) {
  // 0 <-> 1, which would be one cycle with 2
  const Graph graph = graph_of(4, {{0, 1}, {0, 2}, {1, 2}, {2, 0}, {3, 3}});
  const Components found = strong_components(graph, {true, true, false, false});
  EXPECT_EQ(found.sizes.size(), 2U);
  EXPECT_NE(found.of(0), found.of(1));
  EXPECT_FALSE(found.cyclic[found.of(0)]);
  EXPECT_EQ(found.of(2), no_component);
  EXPECT_EQ(found.of(3), no_component);
}

TEST(HeapComponents, FollowsLongPathsWithoutRecursion) {
  constexpr std::uint32_t count = 1'000'000;
  std::vector<Edge> edges;
  for (std::uint32_t node = 0; node < count; ++node) {
    edges.push_back({node, (node + 1) % count});
  }
  const Components found =
      strong_components(graph_of(count, edges), std::vector<bool>(count, true));
  ASSERT_EQ(found.sizes.size(), 1U);
  EXPECT_EQ(found.sizes[0], count);
}

} // namespace
} // namespace pygc::heap
