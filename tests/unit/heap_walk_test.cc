// The lists of a collector, sound and damaged, made by hand and walked.
#include "common/heap/heap.h"
#include "tests/unit/support/heap_builder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pygc::heap {
namespace {

class HeapWalk : public ::testing::Test {
protected:
  static constexpr Address head_size = 16;
  static constexpr Address prev_offset = 8;
  static constexpr std::uint64_t collecting = 2;

  explicit HeapWalk(tests::MissingMemory missing = tests::MissingMemory::writable)
      : builder_(missing) {
    space().head = builder_.reserve(head_size);
    for (int i = 0; i < 4; ++i) {
      builder_.add_object(1);
    }
    link();
  }

  cpython::Interpreter& interpreter() { return builder_.runtime().interpreters.front(); }
  cpython::Space& space() { return interpreter().spaces.front(); }
  Address node(std::uint32_t index) { return builder_.object(index) - head_size; }
  void next(Address node, Address value) { builder_.store(node, value); }
  void prev(Address node, Address value) { builder_.store(node + prev_offset, value); }

  /// All objects in a ring with the head.
  void link() {
    Address before = space().head;
    for (std::uint32_t i = 0; i < builder_.objects().size(); ++i) {
      next(before, node(i));
      prev(node(i), before);
      before = node(i);
    }
    next(before, space().head);
    prev(space().head, before);
  }

  const Heap& walk() {
    builder_.finish();
    auto walked = walk_heap(builder_.reader(), [] { return false; });
    EXPECT_TRUE(walked);
    heap_ = std::move(*walked);
    return heap_;
  }
  /// The sentence of the one thing that is wrong.
  std::string problem() {
    EXPECT_EQ(heap_.corruptions.size(), 1U);
    return heap_.corruptions.empty() ? "" : heap_.corruptions.front().message;
  }
  std::vector<Address> all() { return builder_.objects(); }

  tests::HeapBuilder builder_;
  Heap heap_;
};

TEST_F(HeapWalk, TakesASoundListInItsOrder) {
  const Heap& heap = walk();
  EXPECT_EQ(heap.objects, all());
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(heap.refcounts[HeapIndex(i)], 1U);
    EXPECT_EQ(heap.types[HeapIndex(i)], builder_.plain_type);
  }
  EXPECT_THAT(heap.types.distinct(), ::testing::ElementsAre(builder_.plain_type));
  ASSERT_EQ(heap.spaces.size(), 1U);
  EXPECT_EQ(heap.spaces[0].count, 4U);
  EXPECT_EQ(heap.spaces[0].collecting, 0U);
  EXPECT_TRUE(heap.corruptions.empty());
}

TEST_F(HeapWalk, TakesAnEmptyList) {
  next(space().head, space().head);
  prev(space().head, space().head);
  EXPECT_TRUE(walk().objects.empty());
  EXPECT_TRUE(heap_.corruptions.empty());
}

TEST_F(HeapWalk, APermanentGenerationMayNotBeInitialised) {
  next(space().head, 0);
  prev(space().head, 0);
  space().kind = cpython::SpaceKind::permanent;
  EXPECT_TRUE(walk().corruptions.empty());
}

TEST_F(HeapWalk, WalksOnFromTheOtherEndBehindANull) {
  next(node(1), 0);
  EXPECT_EQ(walk().objects, all());
  EXPECT_EQ(problem(), fmt::format("_gc_next of {:#x} is NULL", builder_.object(1)));
  EXPECT_EQ(heap_.corruptions[0].kind, CorruptionKind::space);
}

TEST_F(HeapWalk, WalksOnFromTheOtherEndBehindAWildLink) {
  next(node(1), 0x1234'5678'9abc'def0);
  EXPECT_EQ(walk().objects, all());
  EXPECT_NE(problem().find("is no address of a PyGC_Head"), std::string::npos);
}

TEST_F(HeapWalk, ALinkIntoMemoryThatTheCoreLacksIsNoFaultOfTheTarget) {
  next(node(1), tests::missing_base);
  EXPECT_EQ(walk().objects, all());
  EXPECT_EQ(heap_.corruptions.size(), 1U);
  EXPECT_TRUE(heap_.corruptions[0].memory_missing);
}

/// A collector calls it at each visit of an instance, and dies of it.
TEST_F(HeapWalk, ATypeWhoseIsGcIsNoFunctionIsDamaged) {
  const Address is_gc = builder_.plain_type + builder_.runtime().layout.tp_is_gc;
  builder_.store(is_gc, builder_.object(0));
  EXPECT_EQ(walk().corruptions.size(), 4U);
  EXPECT_EQ(heap_.corruptions.front().kind, CorruptionKind::object);
  EXPECT_FALSE(heap_.corruptions.front().memory_missing);
  EXPECT_NE(heap_.corruptions.front().message.find("which is no function"), std::string::npos);
}

class HeapWalkWithoutPermissions : public HeapWalk {
protected:
  HeapWalkWithoutPermissions() : HeapWalk(tests::MissingMemory::unknown) {}
};

TEST_F(HeapWalkWithoutPermissions, AnIsGcInAFileThatWasNotFoundIsNone) {
  const Address is_gc = builder_.plain_type + builder_.runtime().layout.tp_is_gc;
  builder_.store(is_gc, tests::missing_base);
  EXPECT_TRUE(walk().corruptions.empty());
}

/// The core lacks it, but says that nothing may run it.
TEST_F(HeapWalk, AnIsGcInMemoryThatIsNoCodeIsNoFunction) {
  const Address is_gc = builder_.plain_type + builder_.runtime().layout.tp_is_gc;
  builder_.store(is_gc, tests::missing_base);
  EXPECT_EQ(walk().corruptions.size(), 4U);
}

TEST_F(HeapWalk, EndsACycleAndKeepsEachObjectOnce) {
  next(node(3), node(1));
  EXPECT_EQ(walk().objects, all());
  EXPECT_NE(problem().find("the list is cyclic"), std::string::npos);
  EXPECT_EQ(heap_.spaces[0].count, 4U);
}

TEST_F(HeapWalk, EndsACycleAtADamagedObject) {
  next(node(3), node(0));
  builder_.store(builder_.object(0) + builder_.runtime().layout.ob_type, 0);
  EXPECT_EQ(walk().objects, all());
  EXPECT_NE(heap_.corruptions.back().message.find("the list is cyclic"), std::string::npos);
  EXPECT_EQ(heap_.corruptions.size(), 2U);
  EXPECT_EQ(heap_.spaces[0].count, 4U);
}

TEST_F(HeapWalk, TellsALinkThatDoesNotLeadBack) {
  prev(node(2), node(0));
  EXPECT_EQ(walk().objects, all());
  EXPECT_NE(problem().find(fmt::format("leads to {:#x}, whose _gc_prev is", builder_.object(2))),
            std::string::npos);
}

TEST_F(HeapWalk, AnObjectThatWasUntrackedOnItsListIsOneFault) {
  next(node(2), 0);
  prev(node(2), 0);
  EXPECT_EQ(walk().objects, all());
  EXPECT_EQ(heap_.corruptions.size(), 1U);
  EXPECT_NE(problem().find("it was untracked while it stayed on the list"), std::string::npos);
}

TEST_F(HeapWalk, TellsAHeadThatDoesNotNameTheLast) {
  prev(space().head, node(1));
  walk();
  EXPECT_NE(problem().find("_gc_prev of the list head"), std::string::npos);
}

TEST_F(HeapWalk, TellsFlagsThatOnlyARunningCollectionSets) {
  next(node(0), node(1) | 1);
  walk();
  EXPECT_NE(problem().find("has flag bits (1) set"), std::string::npos);
}

TEST_F(HeapWalk, TellsFlagsOfAListHead) {
  next(space().head, node(0) | 2);
  EXPECT_EQ(walk().objects, all());
  EXPECT_NE(problem().find("_gc_next of the list head has flag bits (2) set"), std::string::npos);
  next(space().head, node(0));
  prev(space().head, node(3) | 1);
  EXPECT_EQ(walk().objects, all());
  EXPECT_NE(problem().find("_gc_prev of the list head has flag bits (1) set"), std::string::npos);
}

/// move_unreachable() flags the head of the list that it fills.
TEST_F(HeapWalk, TakesFlagsOfAListHeadWhileACollectionRuns) {
  interpreter().collecting = true;
  next(space().head, node(0) | 1);
  EXPECT_TRUE(walk().corruptions.empty());
}

TEST_F(HeapWalk, TheIncrementalCollectorKeepsASpaceInTheLowestBit) {
  builder_.runtime().layout.gc_young = 8;
  next(node(0), node(1) | 1);
  EXPECT_TRUE(walk().corruptions.empty());
}

TEST_F(HeapWalk, TellsCollectingAtRest) {
  prev(node(1), node(0) | collecting);
  walk();
  EXPECT_NE(problem().find("has COLLECTING set"), std::string::npos);
}

TEST_F(HeapWalk, ReadsGcRefsOfARunningCollection) {
  interpreter().collecting = true;
  prev(node(1), 5U << 2U | collecting);
  EXPECT_TRUE(walk().corruptions.empty());
  EXPECT_EQ(heap_.spaces[0].collecting, 1U);
  EXPECT_TRUE(heap_.states[heap::HeapIndex(1)].is_collecting());
  EXPECT_EQ(heap_.states[heap::HeapIndex(1)].gc_refs(), 5);
}

TEST_F(HeapWalk, AnObjectThatWasFreedOnItsListIsOneFault) {
  builder_.store(builder_.object(2) + builder_.runtime().layout.ob_type, 0xdddd'dddd'dddd'dddd);
  next(node(2), 0xdddd'dddd'dddd'dddd);
  prev(node(2), 0xdddd'dddd'dddd'dddd);
  walk();
  EXPECT_NE(problem().find("it was freed while it was tracked"), std::string::npos);
  EXPECT_EQ(heap_.objects, all());
  EXPECT_FALSE(heap_.usable[heap::HeapIndex(2)]);
  EXPECT_EQ(heap_.unreadable, 1U);
}

TEST_F(HeapWalk, ATrackedObjectHasAReference) {
  builder_.store(builder_.object(2), 0);
  walk();
  EXPECT_NE(problem().find("tracked with a reference count of 0"), std::string::npos);
  EXPECT_EQ(heap_.corruptions[0].kind, CorruptionKind::object);
}

} // namespace
} // namespace pygc::heap
