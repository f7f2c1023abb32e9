// Referrers and referents in a heap made by hand.
#include "common/analysis/explore/reference_tree.h"
#include "support/heap_builder.h"
#include "support/table_replayer.h"

#include <gmock/gmock.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::HeapBuilder;
using tests::TableReplayer;

class ExploreReferences : public ::testing::Test {
protected:
  Result<ReferenceTree> follow(tests::Visits visits, ReferenceQuestion question,
                               bool with_tracer = true) {
    heap_.finish();
    TableReplayer replayer(heap_.objects(), std::move(visits));
    for (const auto& [container, slot] : slots_) {
      replayer.set_slot(container, 0, slot);
    }
    return follow_references(
        heap_.image(), heap_.reader(), heap_.heap(), replayer,
        [&]() -> Result<replay::Tracer*> {
          if (!with_tracer) {
            return fail(ErrorKind::replayer, 0, "no engine");
          }
          return &replayer;
        },
        question);
  }

  HeapBuilder heap_;
  std::vector<std::pair<std::uint32_t, Address>> slots_;
};

std::vector<Address> others(const ReferenceTree& tree) {
  std::vector<Address> found;
  for (const ReferenceRow& row : tree.rows) {
    found.push_back(row.other.address);
  }
  return found;
}

TEST_F(ExploreReferences, ToAnObject) {
  heap_.add_object(3);
  heap_.add_object(1);
  heap_.add_object(1);
  slots_ = {{1, heap_.object(1) + 24}};
  const auto tree = follow({{}, {0}, {0, 0}}, {.object = heap_.object(0)});
  ASSERT_TRUE(tree);
  EXPECT_THAT(others(*tree), ElementsAre(heap_.object(1), heap_.object(2)));
  EXPECT_EQ(tree->rows[0].reference.visits, 1U);
  EXPECT_EQ(tree->rows[0].name.text, "+0x18 of the container");
  EXPECT_EQ(tree->rows[0].name.slot, SlotAddress{heap_.object(1) + 24});
  EXPECT_EQ(tree->rows[1].reference.visits, 2U);
  EXPECT_THAT(tree->notes, IsEmpty());
}

TEST_F(ExploreReferences, OfATypeByItsBareName) {
  const Address other = heap_.add_type("app.Other", heap_.add_function("other"));
  heap_.add_object(3);
  heap_.add_object(1, other);
  heap_.add_object(1);
  const auto tree = follow({{}, {0}, {0}}, {.object = heap_.object(0), .type = "Other"});
  ASSERT_TRUE(tree);
  EXPECT_THAT(others(*tree), ElementsAre(heap_.object(1)));
}

TEST_F(ExploreReferences, FromAnObjectAreCountedWhateverTheirOrder) {
  for (int i = 0; i < 3; ++i) {
    heap_.add_object(3);
  }
  const auto tree =
      follow({{1, 2, 1, 2, 1}, {}, {}}, {.object = heap_.object(0), .direction = Direction::from});
  ASSERT_TRUE(tree);
  EXPECT_THAT(others(*tree), ElementsAre(heap_.object(1), heap_.object(2), tests::uncollected));
  EXPECT_EQ(tree->rows[0].reference.visits, 3U);
  EXPECT_EQ(tree->rows[1].reference.visits, 2U);
}

TEST_F(ExploreReferences, GoDeeperOnceAnObject) {
  for (int i = 0; i < 4; ++i) {
    heap_.add_object(1);
  }
  // 3 -> 2 -> 1 -> 0, and 0 -> 1: a ring
  const auto tree = follow({{1}, {0}, {1}, {2}}, {.object = heap_.object(0), .depth = 10});
  ASSERT_TRUE(tree);
  EXPECT_THAT(others(*tree),
              ElementsAre(heap_.object(1), heap_.object(0), heap_.object(2), heap_.object(3)));
  EXPECT_EQ(tree->rows[3].depth, 3U);
}

TEST_F(ExploreReferences, FromAnObject) {
  heap_.add_object(1);
  heap_.add_object(1);
  const auto tree = follow({{1, 1}, {}}, {.object = heap_.object(0), .direction = Direction::from});
  ASSERT_TRUE(tree);
  EXPECT_THAT(others(*tree), ElementsAre(heap_.object(1), tests::uncollected));
  EXPECT_EQ(tree->rows[0].reference.visits, 2U);
}

TEST_F(ExploreReferences, OfATypeAndUpToALimit) {
  const Address other = heap_.add_type("Other", heap_.add_function("other"));
  heap_.add_object(4);
  heap_.add_object(1, other);
  heap_.add_object(1);
  heap_.add_object(1, other);
  const auto tree =
      follow({{}, {0}, {0}, {0}}, {.object = heap_.object(0), .type = "Other", .limit = 1});
  ASSERT_TRUE(tree);
  EXPECT_THAT(others(*tree), ElementsAre(heap_.object(1)));
  EXPECT_EQ(tree->further, 1U);
}

TEST_F(ExploreReferences, SayWhenSlotsCannotBeTraced) {
  heap_.add_object(1);
  const auto tree = follow({{0}}, {.object = heap_.object(0)}, false);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->rows[0].name.text, "");
  EXPECT_THAT(tree->notes, ElementsAre("slots are not traced: no engine"));
}

TEST_F(ExploreReferences, NeedAnObject) {
  heap_.add_object(1);
  const auto tree = follow({{}}, {.object = heap_.object(0) + 4});
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().kind, ErrorKind::not_found);
}

} // namespace
} // namespace pygc::analysis
