// Shortest paths from roots in a graph made by hand.
#include "common/heap/root_paths.h"
#include "tests/unit/support/small_graph.h"

#include <gmock/gmock.h>

namespace pygc::heap {
namespace {

using replay::Edge;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::graph_of;
using Path = std::vector<std::uint32_t>;

std::vector<std::vector<std::uint32_t>> all_paths(const Graph& graph,
                                                  const std::vector<bool>& is_root,
                                                  const Path& targets, std::size_t limit) {
  return paths_from_roots(graph, is_root, std::vector<bool>(is_root.size()), targets, limit);
}

TEST(HeapRootPaths, AreTheShortestFirst) {
  // roots 0 and 5: 0 -> 1 -> 2 -> 4, 5 -> 2
  const Graph graph = graph_of(6, {{0, 1}, {1, 2}, {2, 4}, {5, 2}});
  const std::vector<bool> roots{true, false, false, false, false, true};
  EXPECT_THAT(all_paths(graph, roots, Path{4}, 10), ElementsAre(Path{5, 2, 4}, Path{0, 1, 2, 4}));
  EXPECT_THAT(all_paths(graph, roots, Path{4}, 1), ElementsAre(Path{5, 2, 4}));
}

TEST(HeapRootPaths, EndAtTheObjectItselfWhenItIsARoot) {
  const Graph graph = graph_of(2, {{1, 0}});
  EXPECT_THAT(all_paths(graph, {true, true}, Path{0}, 10), ElementsAre(Path{0}));
}

TEST(HeapRootPaths, OfCyclesWithoutARootThereIsNone) {
  const Graph graph = graph_of(3, {{0, 1}, {1, 0}, {1, 2}});
  EXPECT_THAT(all_paths(graph, {false, false, false}, Path{2}, 10), IsEmpty());
}

TEST(HeapRootPaths, LeadToTheNearestOfSeveralObjects) {
  const Graph graph = graph_of(4, {{0, 1}, {1, 2}, {2, 3}});
  EXPECT_THAT(all_paths(graph, {true, false, false, false}, Path{1, 3, 17}, 10),
              ElementsAre(Path{0, 1}));
}

TEST(HeapRootPaths, LeaveOutWhatIsExcluded) {
  // roots 0, 1 and 4: 0 -> 2 -> 3, 1 -> 3, 4 -> 3
  const Graph graph = graph_of(5, {{0, 2}, {1, 3}, {2, 3}, {4, 3}});
  const std::vector<bool> roots{true, true, false, false, true};
  EXPECT_THAT(paths_from_roots(graph, roots, {false, true, false, false, false}, Path{3}, 10),
              ElementsAre(Path{4, 3}, Path{0, 2, 3}));
  EXPECT_THAT(paths_from_roots(graph, roots, {false, true, true, false, true}, Path{3}, 10),
              IsEmpty());
  EXPECT_THAT(paths_from_roots(graph, roots, {false, false, false, true, false}, Path{3}, 10),
              IsEmpty());
}

} // namespace
} // namespace pygc::heap
