// Paths to many objects, folded, in a graph made by hand.
#include "common/heap/merged_paths.h"
#include "tests/unit/support/small_graph.h"

#include <gmock/gmock.h>

namespace pygc::heap {
namespace {

using replay::Edge;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::graph_of;
using Path = std::vector<std::uint32_t>;
using Flags = std::vector<bool>;

Flags flags(std::size_t nodes, const Path& set) {
  Flags all(nodes, false);
  for (const std::uint32_t node : set) {
    all[node] = true;
  }
  return all;
}

// 0 is a cache: root, holds 1, 2, 3 (of kind 1), each of which holds a target (kind 2): 4, 5, 6.
// 7 is a target that is a root itself, 8 another one.
constexpr std::size_t nodes = 9;
const std::vector<Edge> edges = {{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 5}, {3, 6}};
const Path kinds = {0, 1, 1, 1, 2, 2, 2, 2, 2};
const Path targets = {4, 5, 6, 7, 8};

TEST(HeapMergedPaths, AreOneWhereTheyRunAlike) {
  const auto merged =
      merge_paths(graph_of(nodes, edges), flags(nodes, {0, 7, 8}), Flags(nodes), targets, kinds);
  EXPECT_EQ(merged.reached, 5U);
  EXPECT_EQ(merged.nested, 0U);
  ASSERT_THAT(merged.paths, SizeIs(2));
  EXPECT_EQ(merged.paths[0].targets, 3U);
  EXPECT_EQ(merged.paths[0].nodes, (Path{0, 1, 4}));
  EXPECT_THAT(merged.paths[0].common, ElementsAre(true, false, false));
  EXPECT_EQ(merged.paths[1].targets, 2U);
  EXPECT_EQ(merged.paths[1].nodes, Path{7});
  EXPECT_THAT(merged.paths[1].common, ElementsAre(false));
}

TEST(HeapMergedPaths, AreTwoThroughTwoCachesOfOneKind) {
  // 0 and 1 are caches of one kind, each with two targets
  const auto merged = merge_paths(graph_of(6, {{0, 2}, {0, 3}, {1, 4}, {1, 5}}), flags(6, {0, 1}),
                                  Flags(6), Path{2, 3, 4, 5}, Path{0, 0, 1, 1, 1, 1});
  ASSERT_THAT(merged.paths, SizeIs(2));
  EXPECT_EQ(merged.paths[0].nodes, (Path{0, 2}));
  EXPECT_EQ(merged.paths[1].nodes, (Path{1, 4}));
}

TEST(HeapMergedPaths, OfOneTargetNameEachNode) {
  const auto merged =
      merge_paths(graph_of(nodes, edges), flags(nodes, {0}), Flags(nodes), Path{5}, kinds);
  ASSERT_THAT(merged.paths, SizeIs(1));
  EXPECT_THAT(merged.paths[0].common, ElementsAre(true, true, true));
}

TEST(HeapMergedPaths, BehindAnotherTargetCountWithNone) {
  // 0 (root) -> 1 (target) -> 2 (target) -> 3 (target)
  const auto merged = merge_paths(graph_of(4, {{0, 1}, {1, 2}, {2, 3}}), flags(4, {0}), Flags(4),
                                  Path{1, 2, 3}, Path{0, 1, 1, 1});
  EXPECT_EQ(merged.reached, 3U);
  EXPECT_EQ(merged.nested, 2U);
  ASSERT_THAT(merged.paths, SizeIs(1));
  EXPECT_EQ(merged.paths[0].nodes, (Path{0, 1}));
}

TEST(HeapMergedPaths, ThroughALongListAreOne) {
  // 0 -> 1 -> ... -> 99, each of the list holds a target: 100 ... 199
  std::vector<Edge> list;
  Path ends;
  Path of(200, 0);
  for (std::uint32_t i = 0; i < 100; ++i) {
    if (i != 99) {
      list.push_back({i, i + 1});
    }
    list.push_back({i, i + 100});
    ends.push_back(i + 100);
    of[i + 100] = 1;
  }
  const auto merged = merge_paths(graph_of(200, list), flags(200, {0}), Flags(200), ends, of);
  EXPECT_EQ(merged.reached, 100U);
  ASSERT_THAT(merged.paths, SizeIs(16)); // the first fifteen by themselves
  EXPECT_EQ(merged.paths[0].targets, 85U);
  EXPECT_THAT(merged.paths[0].nodes, SizeIs(17));
}

TEST(HeapMergedPaths, LeaveOutWhatIsExcluded) {
  const Graph graph = graph_of(nodes, edges);
  const auto without_cache =
      merge_paths(graph, flags(nodes, {0, 7, 8}), flags(nodes, {0}), targets, kinds);
  EXPECT_EQ(without_cache.reached, 2U);
  const auto nothing =
      merge_paths(graph, flags(nodes, {0, 7, 8}), flags(nodes, {0, 7, 8}), targets, kinds);
  EXPECT_EQ(nothing.reached, 0U);
  EXPECT_THAT(nothing.paths, IsEmpty());
}

} // namespace
} // namespace pygc::heap
