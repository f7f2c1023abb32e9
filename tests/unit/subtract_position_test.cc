// Where subtract_refs is and what is to come, on a collection made by hand and a replayer that
// looks the visits up.
#include "common/analysis/step/subtract_goal.h"
#include "common/analysis/step/subtract_position.h"
#include "common/cpython/collector/collector.h"
#include "tests/unit/support/table_replayer.h"

#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using tests::TableReplayer;
using tests::Visits;

constexpr Address first_object = 0x10000;
constexpr Address object_size = 0x40;
constexpr std::size_t rbx = 3;
constexpr cpython::SubtractLoop loop = {
    .call = 0x5000, .return_address = 0x5006, .visitor = 0x4000};

Address object(std::uint32_t index) {
  return first_object + index * object_size;
}

std::vector<Address> objects(std::size_t count) {
  std::vector<Address> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    all.push_back(object(i));
  }
  return all;
}

/// A collection of as many objects as there are containers, after `made` decrements.
class Collection {
public:
  Collection(const Visits& visits, std::vector<std::uint64_t> refcounts, std::size_t made,
             Visits borrowed = {})
      : replayer_(objects(visits.size()), visits, std::move(borrowed)),
        replay_(replayer_, set_, {}) {
    layout_.gc_head_size = 16;
    layout_.gc_prev = 8;
    set_.refcounts.assign(refcounts.begin(), refcounts.end());
    std::vector<std::uint64_t> stored = set_.refcounts;
    for (const auto& one : visits) {
      for (const std::uint32_t visited : one) {
        if (made > 0) {
          --made;
          --stored[visited];
        }
      }
    }
    for (std::uint32_t i = 0; i < visits.size(); ++i) {
      set_.heap_index.emplace_back(i);
      set_.objects.push_back(object(i));
      heap_.states.push_back({static_cast<std::int64_t>(stored[i]), true, false});
    }
  }

  /// Inside a call of the loop whose cursor, in rbx, is at the container.
  std::optional<SubtractPosition> inside(Address cursor) {
    image::Frame traverse{.pc = 0x7000, .cfa = 0x100, .function = {}, .variables = {}};
    image::Frame collector{
        .pc = loop.return_address, .cfa = 0x200, .function = {}, .variables = {}};
    collector.registers[rbx] = cursor;
    return find({traverse, collector});
  }
  /// In the loop itself.
  std::optional<SubtractPosition> between(std::optional<Address> cursor) {
    image::Frame collector{
        .pc = loop.return_address + 3, .cfa = 0x200, .function = {}, .variables = {}};
    collector.registers[rbx] = cursor;
    return find({collector});
  }
  std::optional<SubtractPosition> find(const std::vector<image::Frame>& frames) {
    const cpython::Stepping& stepping = *cpython::collector_of(layout_).stepping();
    auto position = find_subtract_position(heap_, set_, {stepping, layout_, std::span(&loop, 1)},
                                           frames, replay_);
    EXPECT_TRUE(position);
    return *position;
  }

  heap::Heap& heap() { return heap_; }
  const heap::CollectedSet& set() const { return set_; }
  SubtractReplay& replay() { return replay_; }

private:
  heap::Heap heap_;
  heap::CollectedSet set_;
  cpython::Layout layout_;
  TableReplayer replayer_;
  SubtractReplay replay_;
};

Address node(std::uint32_t index) {
  return object(index) - 16;
}

// 0 visits 1, 2; 1 visits 2 twice; 2 and 3 visit nothing; 4 visits 0, 2.
const Visits some_visits = {{1, 2}, {2, 2}, {}, {}, {0, 2}};
const std::vector<std::uint64_t> some_refcounts = {1, 1, 3, 1, 1};

TEST(SubtractPosition, IsInsideTheContainerOfTheCursor) {
  Collection collection(some_visits, some_refcounts, 3);
  const auto position = collection.inside(node(1));
  ASSERT_TRUE(position);
  EXPECT_TRUE(position->inside);
  EXPECT_EQ(position->container, 1U);
  EXPECT_EQ(position->visits, 1U);
  EXPECT_EQ(position->before, (std::vector<std::int64_t>{1, 0, 2, 1, 1}));
  EXPECT_EQ(position->stored, (std::vector<std::int64_t>{1, 0, 1, 1, 1}));
  EXPECT_EQ(position->taken, (std::vector<std::int64_t>{0, 0, 2, 0, 0}));
}

TEST(SubtractPosition, ACursorMayPointToTheObjectAndHaveFlags) {
  Collection collection(some_visits, some_refcounts, 3);
  EXPECT_EQ(collection.inside(object(1))->container, 1U);
  EXPECT_EQ(collection.inside(node(1) | 1)->container, 1U);
}

TEST(SubtractPosition, TheDecrementsTellWhereRegistersDoNot) {
  Collection collection(some_visits, some_refcounts, 3);
  const auto position = collection.inside(0x1234);
  ASSERT_TRUE(position);
  EXPECT_EQ(position->container, 1U);
  EXPECT_EQ(position->visits, 1U);
}

TEST(SubtractPosition, IsBeforeTheContainerThatHasBeenFetched) {
  Collection collection(some_visits, some_refcounts, 4);
  // Containers without visits are told apart by the cursor alone.
  for (const std::uint32_t next : {2U, 3U, 4U}) {
    const auto position = collection.between(node(next));
    ASSERT_TRUE(position);
    EXPECT_FALSE(position->inside);
    EXPECT_EQ(position->container, next);
    EXPECT_EQ(position->visits, 0U);
  }
  // The cursor is still at the one that was traversed.
  EXPECT_EQ(collection.between(node(1))->container, 2U);
}

TEST(SubtractPosition, IsAtTheBeginAndAtTheEnd) {
  EXPECT_EQ(Collection(some_visits, some_refcounts, 0).between(std::nullopt)->container, 0U);
  EXPECT_EQ(Collection(some_visits, some_refcounts, 6).between(std::nullopt)->container, 5U);
}

TEST(SubtractPosition, IsNoneElsewhere) {
  Collection collection(some_visits, some_refcounts, 3);
  EXPECT_FALSE(collection.find({}));
  EXPECT_FALSE(collection.find({{.pc = 0x9000, .cfa = 1, .function = {}, .variables = {}}}));
  // Near the loop, but the counts are those of no place between two containers.
  EXPECT_FALSE(collection.between(node(1)));
  // Unless its name says that it is subtract_refs all the same.
  EXPECT_TRUE(
      collection.find({{.pc = 0x9000, .cfa = 1, .function = "subtract_refs", .variables = {}}}));
  collection.heap().states.set(heap::HeapIndex(3), {}); // not all are being collected
  EXPECT_FALSE(collection.inside(node(1)));
}

TEST(SubtractReplay, LeavesOutWhatIsBorrowedOrNotCollected) {
  Collection collection(some_visits, some_refcounts, 0, {{2, 3}, {}, {1}});
  EXPECT_EQ(collection.replay().visits_by(0).value(), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(collection.replay().visits_by(2).value(), (std::vector<std::uint32_t>{}));
}

TEST(SubtractGoal, CountsDecrementsAcrossContainers) {
  Collection collection(some_visits, some_refcounts, 3);
  const auto position = collection.inside(node(1));
  ASSERT_TRUE(position);
  std::uint64_t left = 0;
  const auto nth = [&](std::uint64_t count) {
    return nth_decrement(collection.set(), *position, collection.replay(), count, left).value();
  };
  const auto one = nth(1);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->container, 1U);
  EXPECT_EQ(one->object, 2U);
  EXPECT_EQ(one->earlier, 0U);
  EXPECT_FALSE(one->spent); // 1 -> 0
  EXPECT_EQ(nth(2)->container, 4U);
  EXPECT_EQ(nth(2)->object, 0U);
  const auto three = nth(3);
  EXPECT_EQ(three->object, 2U);
  EXPECT_EQ(three->earlier, 1U);
  EXPECT_TRUE(three->spent); // 0 -> -1
  EXPECT_FALSE(nth(4));
  EXPECT_EQ(left, 3U);
}

TEST(SubtractGoal, FindsTheFirstNegative) {
  Collection collection(some_visits, some_refcounts, 0);
  const auto position = collection.between(node(0));
  const auto goal = first_negative(collection.set(), *position, collection.replay()).value();
  ASSERT_TRUE(goal);
  EXPECT_EQ(goal->container, 4U);
  EXPECT_EQ(goal->object, 2U);
  EXPECT_EQ(goal->earlier, 3U);
  EXPECT_TRUE(goal->spent);
}

TEST(SubtractGoal, OfTwoVictimsOfOneContainerTheOneVisitedFirst) {
  const Visits visits = {{2, 1}, {2, 2, 1}, {}};
  for (const bool swapped : {false, true}) {
    Visits order = visits;
    if (swapped) {
      order[1] = {2, 1, 2};
    }
    Collection collection(order, {1, 1, 2}, 0);
    const auto goal =
        first_negative(collection.set(), *collection.between(node(0)), collection.replay()).value();
    ASSERT_TRUE(goal);
    EXPECT_EQ(goal->container, 1U);
    EXPECT_EQ(goal->object, swapped ? 1U : 2U);
  }
}

TEST(SubtractGoal, WhatIsNegativeAlreadyIsNoGoal) {
  Collection collection(some_visits, {1, 0, 9, 1, 1}, 1);
  collection.heap().states.set(heap::HeapIndex(1), {-1, true, false});
  const auto position = collection.inside(node(0));
  ASSERT_TRUE(position);
  EXPECT_EQ(position->stored[1], -1);
  EXPECT_FALSE(first_negative(collection.set(), *position, collection.replay()).value());
}

TEST(SubtractGoal, TellsWhatIsToComeForAnObject) {
  Collection collection(some_visits, some_refcounts, 3);
  const auto goals =
      decrements_to_come(*collection.inside(node(1)), collection.replay(), 2).value();
  EXPECT_EQ(goals.all, 4U);
  ASSERT_TRUE(goals.next);
  EXPECT_EQ(goals.next->container, 1U);
  EXPECT_FALSE(goals.next->spent);
  ASSERT_TRUE(goals.refused);
  EXPECT_EQ(goals.refused->container, 4U);
  EXPECT_EQ(goals.refused->earlier, 1U);
  EXPECT_FALSE(
      decrements_to_come(*collection.inside(node(1)), collection.replay(), 3).value().next);
}

} // namespace
} // namespace pygc::analysis
