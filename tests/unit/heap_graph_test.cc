// The graph of visits: its rows both ways, and what is reachable in it.
#include "common/heap/graph.h"
#include "common/heap/reachability.h"
#include "common/replay/emulated.h"
#include "replay_fixture.h"
#include "tests/unit/support/small_graph.h"

#include <gmock/gmock.h>

namespace pygc::heap {
namespace {

using replay::Edge;
using replay::Incident;
using replay::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::graph_of;

std::vector<std::uint32_t> copy(std::span<const std::uint32_t> row) {
  return {row.begin(), row.end()};
}

TEST(HeapGraph, HasRowsBothWays) {
  const Graph graph = graph_of(4, {{0, 2}, {0, 2}, {0, 1}, {2, 0}, {2, 2}, {3, 2}});
  EXPECT_EQ(graph.node_count(), 4U);
  EXPECT_EQ(graph.edge_count(), 6U);
  EXPECT_THAT(copy(graph.referents(0)), ElementsAre(2, 2, 1));
  EXPECT_THAT(copy(graph.referents(1)), IsEmpty());
  EXPECT_THAT(copy(graph.referents(2)), ElementsAre(0, 2));
  EXPECT_THAT(copy(graph.referents(3)), ElementsAre(2));
  EXPECT_THAT(copy(graph.referrers(0)), ElementsAre(2));
  EXPECT_THAT(copy(graph.referrers(1)), ElementsAre(0));
  EXPECT_THAT(copy(graph.referrers(2)), ElementsAre(0, 0, 2, 3));
  EXPECT_THAT(copy(graph.referrers(3)), IsEmpty());
}

TEST(HeapGraph, OfNothing) {
  const Graph none = graph_of(0, {});
  EXPECT_EQ(none.node_count(), 0U);
  EXPECT_EQ(none.edge_count(), 0U);
  const Graph unconnected = graph_of(3, {});
  EXPECT_THAT(copy(unconnected.referents(2)), IsEmpty());
  EXPECT_THAT(copy(unconnected.referrers(0)), IsEmpty());
}

TEST(HeapGraph, ComesInPieces) {
  Graph::Builder builder(5);
  ASSERT_TRUE(builder.add(std::vector<Edge>{{1, 0}, {1, 4}}));
  ASSERT_TRUE(builder.add(std::vector<Edge>{}));
  ASSERT_TRUE(builder.add(std::vector<Edge>{{1, 2}, {3, 1}})); // container 1 goes on
  const Graph graph = std::move(builder).finish();
  EXPECT_THAT(copy(graph.referents(1)), ElementsAre(0, 4, 2));
  EXPECT_THAT(copy(graph.referents(3)), ElementsAre(1));
  EXPECT_THAT(copy(graph.referents(4)), IsEmpty());
}

TEST(HeapGraph, RefusesWhatIsOutOfOrder) {
  Graph::Builder builder(3);
  ASSERT_TRUE(builder.add(std::vector<Edge>{{1, 0}}));
  EXPECT_FALSE(builder.add(std::vector<Edge>{{0, 1}}));
  EXPECT_FALSE(builder.add(std::vector<Edge>{{3, 1}}));
  EXPECT_FALSE(builder.add(std::vector<Edge>{{2, 3}}));
}

TEST(HeapGraph, TellsWhatRootsReach) {
  // 0 -> 1 -> 2 -> 0, 3 -> 4, 5 alone
  const Graph graph = graph_of(6, {{0, 1}, {1, 2}, {2, 0}, {3, 4}});
  EXPECT_THAT(reachable_from(graph, std::vector<std::uint32_t>{1}),
              ElementsAre(true, true, true, false, false, false));
  EXPECT_THAT(reachable_from(graph, std::vector<std::uint32_t>{4, 5}),
              ElementsAre(false, false, false, false, true, true));
  EXPECT_THAT(reachable_from(graph, std::vector<std::uint32_t>{}),
              ElementsAre(false, false, false, false, false, false));
  EXPECT_THAT(reachable_from(graph, std::vector<std::uint32_t>{17}),
              ElementsAre(false, false, false, false, false, false));
}

/// On an image made by hand, by a replayer.
class HeapGraphReplay : public ::testing::Test {
protected:
  Result<Graph> build(const std::vector<Address>& objects,
                      const std::vector<Address>& clear_collecting = {}) {
    auto replayer = replay::testing::start(image, options);
    return replayer ? Graph::build(*replayer, objects, clear_collecting)
                    : fail(ErrorKind::replayer, 0, "no replayer");
  }

  replay::testing::Image image;
  replay::Options options = replay::testing::options();
};

using namespace replay::testing; // NOLINT(google-build-using-namespace): the fixture's machine code

TEST_F(HeapGraphReplay, TakesVisitsOfObjectsOfTheRound) {
  const Address plain = image.add_object(image.add_type(0, false));
  const Address outside = image.add_object_with(ret_zero);
  const Address left_over = image.add_object(image.add_type(image.add_code(ret_zero)), collecting);
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({plain, child, outside, child, left_over}));
  const auto graph = build({child, parent});
  ASSERT_TRUE(graph) << graph.error().reason;
  EXPECT_THAT(copy(graph->referents(1)), ElementsAre(0, 0));
  EXPECT_EQ(graph->edge_count(), 2U);
  EXPECT_THAT(graph->replayed().incidents, IsEmpty());
}

TEST_F(HeapGraphReplay, LeavesOutWhatTheTargetsVisitorDoesNotCount) {
  // A traverse function that visits `borrowed` only when it is not passed visit_decref, as frames
  // of 3.14 do with borrowed stack references: cmp %rsi,%rax; je behind the visit.
  const Address visit_decref = image.add_code(visit_decref_code);
  options.visit_decref = visit_decref;
  const Address counted = image.add_object_with(ret_zero);
  const Address borrowed = image.add_object_with(ret_zero);
  const Code visits_borrowed = load_rdi(borrowed) + Code{0xff, 0xd6}; // call *%rsi
  // push %rsi; mov visit_decref,%rax; cmp %rsi,%rax; je 1f; ...; 1: pop %rsi; mov counted,%rdi;
  // sub $8,%rsp; call *%rsi; add $8,%rsp; ret
  const Code frame =
      Code{0x56} + load_rax(visit_decref) +
      Code{0x48, 0x39, 0xf0, 0x74, static_cast<std::uint8_t>(visits_borrowed.size())} +
      visits_borrowed + Code{0x5e} + load_rdi(counted) +
      Code{0x48, 0x83, 0xec, 0x08, 0xff, 0xd6, 0x48, 0x83, 0xc4, 0x08} + ret_zero;
  const Address container = image.add_object_with(frame);
  const Address twice = image.add_object_with(visiting({counted, borrowed, counted}));
  const auto graph = build({counted, container, borrowed, twice});
  ASSERT_TRUE(graph) << graph.error().reason;
  EXPECT_THAT(copy(graph->referents(1)), ElementsAre(0));
  EXPECT_THAT(copy(graph->referents(3)), ElementsAre(0, 2, 0));
  EXPECT_THAT(copy(graph->referrers(2)), ElementsAre(3));
}

TEST_F(HeapGraphReplay, TellsOfTraversalsThatFail) {
  const Address child = image.add_object_with(ret_zero);
  const Address faulty = image.add_object_with(visiting({child, unmapped}));
  // push %rbx; mov %rsi,%rbx; 1: mov child,%rdi; call *%rbx; jmp 1b
  const Address endless = image.add_object_with(Code{0x53, 0x48, 0x89, 0xf3} + load_rdi(child) +
                                                Code{0xff, 0xd3, 0xeb, 0xf2});
  const Address behind = image.add_object_with(visiting({child}));
  const auto graph = build({child, faulty, endless, behind});
  ASSERT_TRUE(graph) << graph.error().reason;
  ASSERT_EQ(graph->replayed().incidents.size(), 2U);
  EXPECT_EQ(graph->replayed().incidents[0].container, 1U);
  EXPECT_EQ(graph->replayed().incidents[0].outcome, Outcome::fault);
  EXPECT_EQ(graph->replayed().incidents[1].container, 2U);
  EXPECT_EQ(graph->replayed().incidents[1].outcome, Outcome::timeout);
  EXPECT_THAT(copy(graph->referrers(0)), ElementsAre(1, 3));
}

TEST_F(HeapGraphReplay, TakesContainersWithMoreVisitsThanOneExchangeHolds) {
  // mov $3000000,%ebp, then as many visits: push %rbx; push %rbp; sub $8,%rsp; mov %rsi,%rbx;
  // 1: mov child,%rdi; call *%rbx; test %eax,%eax; jne 2f; dec %ebp; jne 1b; 2: add; pop; pop; ret
  const Address child = image.add_object_with(ret_zero);
  const Code body = load_rdi(child) + Code{0xff, 0xd3, 0x85, 0xc0, 0x75, 0x04, 0xff, 0xcd, 0x75};
  const Code many =
      Code{0x53, 0x55, 0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xf3, 0xbd, 0xc0, 0xc6, 0x2d, 0x00} +
      body + Code{static_cast<std::uint8_t>(-static_cast<int>(body.size()) - 1)} +
      Code{0x48, 0x83, 0xc4, 0x08, 0x5d, 0x5b, 0xc3};
  options.traversal_budget = std::chrono::seconds(2);
  const Address large = image.add_object_with(many);
  const Address small = image.add_object_with(visiting({large}));
  const auto graph = build({child, small, large, small});
  ASSERT_TRUE(graph) << graph.error().reason;
  EXPECT_THAT(graph->replayed().incidents, IsEmpty());
  EXPECT_EQ(graph->referents(2).size(), 3'000'000U);
  EXPECT_THAT(copy(graph->referrers(2)), ElementsAre(1, 3));
}

TEST_F(HeapGraphReplay, IsTheSameInTheEmulator) {
  const Address child = image.add_object_with(ret_zero);
  const Address plain = image.add_object(image.add_type(0, false));
  const Address parent = image.add_object_with(visiting({child, plain, child}));
  const Address other = image.add_object_with(visiting({parent, child}));
  const std::vector<Address> objects{child, parent, other};
  const auto native = build(objects);
  ASSERT_TRUE(native) << native.error().reason;
  options.replayer_path = PYGC_LIBEXEC_DIR "/pygc-replayer-emulated";
  auto tracer = replay::start_emulated(image.memory(), options, [] { return false; });
  ASSERT_TRUE(tracer) << tracer.error().reason;
  const auto emulated = Graph::build(**tracer, objects, {});
  ASSERT_TRUE(emulated) << emulated.error().reason;
  ASSERT_EQ(emulated->node_count(), native->node_count());
  for (std::uint32_t node = 0; node < native->node_count(); ++node) {
    EXPECT_EQ(copy(emulated->referents(node)), copy(native->referents(node)));
  }
}

} // namespace
} // namespace pygc::heap
