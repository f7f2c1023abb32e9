// The objects of a free-threaded build, found in heaps that are made by hand, sound and damaged.
#include "common/cpython/collector/free_threaded_walk.h"
#include "common/cpython/refcount.h"
#include "tests/unit/support/mimalloc_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace pygc::cpython {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::MimallocBuilder;
using tests::Recorded;
using tests::RecordingSink;

constexpr std::uint32_t size = 64;
constexpr unsigned slice = 2; // of the one page that most tests have
constexpr std::uint16_t capacity = 8;
constexpr unsigned queue = 5;

class FreeThreadedWalk : public ::testing::Test {
protected:
  FreeThreadedWalk() : segment_(builder_.add_segment()) {}

  /// A page of the thread's heap whose blocks are all tracked objects.
  Address fill(unsigned tag = mimalloc::gc_heap, std::uint64_t before = 0) {
    const Address page = builder_.add_page(segment_, slice, tag, size, capacity);
    builder_.enqueue(page, tag, queue);
    for (unsigned i = 0; i < capacity; ++i) {
      builder_.add_object(block(i) + before);
    }
    return page;
  }
  Address block(unsigned i) const { return MimallocBuilder::block(segment_, slice, size, i); }
  FreeThreadedLayout& fields() { return builder_.fields(); }

  /// A list of free blocks of the page, with or without keys.
  void chain(Address head_at, const std::vector<Address>& blocks, Address null,
             std::uint64_t flags = 0) {
    builder_.put(head_at, blocks.front() | flags);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Address next = i + 1 < blocks.size() ? blocks[i + 1] : 0;
      builder_.put(blocks[i],
                   fields().page_keys ? MimallocBuilder::encode(next, keys_, null) : next);
    }
  }

  Recorded walk(std::size_t space = 0) {
    RecordingSink sink;
    const image::AddressSpace& memory = finished_ != nullptr ? *finished_ : builder_.finish();
    finished_ = &memory;
    const auto source = walk_allocator(memory, builder_.runtime());
    EXPECT_TRUE(source->walk(builder_.interpreter, builder_.interpreter.spaces[space], sink));
    return std::move(sink.recorded);
  }
  static std::string fault_of(const Recorded& sink) {
    EXPECT_EQ(sink.faults.size(), 1U);
    return sink.faults.empty() ? "" : sink.faults.front().message;
  }

  MimallocBuilder builder_;
  Address segment_;
  std::array<std::uint64_t, 2> keys_ = {0x1234567, 0xabcdef0123};
  const image::AddressSpace* finished_ = nullptr;
};

TEST_F(FreeThreadedWalk, TakesWhatIsAllocatedAndTracked) {
  fill();
  builder_.add_object(block(3), 0);
  builder_.add_object(block(5), gc_bits::tracked | gc_bits::frozen);
  EXPECT_THAT(walk().objects,
              ElementsAre(block(0), block(1), block(2), block(4), block(6), block(7)));
  EXPECT_THAT(walk(2).objects, ElementsAre(block(5)));
  EXPECT_THAT(walk().faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, KnowsWhereAnObjectLiesInItsBlock) {
  fill(mimalloc::gc_pre_heap, 32);
  builder_.put(tests::runtime_state + fields().runtime_debug_allocator, std::uint32_t{1});
  const Recorded sink = walk();
  ASSERT_EQ(sink.objects.size(), capacity);
  EXPECT_EQ(sink.objects.front(), block(0) + 32);
}

TEST_F(FreeThreadedWalk, LeavesOutEveryFreeList) {
  const Address page = fill();
  chain(page + fields().page_free, {block(0), block(7)}, page);
  chain(page + fields().page_local_free, {block(1)}, page);
  chain(page + fields().page_thread_free, {block(2)}, page, 2);
  chain(builder_.heap(mimalloc::gc_heap) + fields().heap_delayed_free, {block(4)}, 0);
  EXPECT_THAT(walk().objects, ElementsAre(block(3), block(5), block(6)));
  EXPECT_THAT(walk().faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, DecodesFreeLists) {
  fields().page_keys = 64;
  const Address page = fill();
  builder_.put(page + 64, keys_);
  const Address heap = builder_.heap(mimalloc::gc_heap);
  chain(page + fields().page_free, {block(0), block(7), block(2)}, page);
  chain(page + fields().page_thread_free, {block(1), block(5)}, page, 1);
  chain(heap + fields().heap_delayed_free, {block(4), block(3)}, heap);
  EXPECT_THAT(walk().objects, ElementsAre(block(6)));
  EXPECT_THAT(walk().faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, TakesListsThatAreJustBeingJoinedForFree) {
  const Address page = fill();
  chain(page + fields().page_free, {block(0), block(1)}, page);
  chain(page + fields().page_local_free, {block(2), block(0)}, page);
  builder_.put(block(0), block(1));
  EXPECT_EQ(walk().objects.size(), capacity - 3U);
  EXPECT_THAT(walk().faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, TellsAFreeListThatIsCyclic) {
  const Address page = fill();
  chain(page + fields().page_free, {block(0), block(1)}, page);
  builder_.put(block(1), block(0));
  const Recorded sink = walk();
  EXPECT_THAT(fault_of(sink), HasSubstr("cyclic"));
  EXPECT_FALSE(sink.faults.front().in_motion);
}

TEST_F(FreeThreadedWalk, TellsAFreeListThatLeavesThePage) {
  const Address page = fill();
  chain(page + fields().page_free, {block(0), block(1)}, page);
  builder_.put(block(1), block(1) + 8);
  EXPECT_THAT(fault_of(walk()), HasSubstr("no block of the page"));
}

TEST_F(FreeThreadedWalk, TellsPagesThatAreCyclic) {
  const Address page = fill();
  builder_.put(page + fields().page_next, page);
  const Recorded sink = walk();
  EXPECT_EQ(sink.objects.size(), capacity); // once
  EXPECT_THAT(fault_of(sink), HasSubstr("cyclic"));
}

TEST_F(FreeThreadedWalk, TellsAPageOfAnotherHeap) {
  const Address page = fill();
  builder_.put(page + fields().page_heap, page);
  EXPECT_THAT(walk().faults.front().message, HasSubstr("another heap"));
}

TEST_F(FreeThreadedWalk, TellsAPageWhoseBlocksLieBeyondIt) {
  const Address page = fill();
  builder_.put(page + fields().page_capacity, std::uint16_t{2000});
  builder_.put(page + fields().page_reserved, std::uint16_t{2000});
  EXPECT_THAT(walk().faults.front().message, HasSubstr("2000 blocks"));
}

TEST_F(FreeThreadedWalk, TellsAPageThatIsNone) {
  const Address page = fill();
  builder_.put(page + fields().page_next, page + 8);
  EXPECT_THAT(walk().faults.front().message, HasSubstr("no address of an allocator's page"));
}

TEST_F(FreeThreadedWalk, TellsAPageThatItsThreadWasMoving) {
  fill();
  builder_.put(builder_.heap(mimalloc::gc_heap) + fields().heap_page_count, std::uint64_t{2});
  const Recorded sink = walk();
  EXPECT_THAT(fault_of(sink), HasSubstr("1 pages"));
  EXPECT_TRUE(sink.faults.front().in_motion);
}

TEST_F(FreeThreadedWalk, TellsMemoryThatTheCoreLacks) {
  fill();
  builder_.keep_slices(tests::header_slices);
  const Recorded sink = walk();
  ASSERT_EQ(sink.tracked.size(), capacity);
  EXPECT_NE(sink.tracked.front().unreadable, nullptr);
}

TEST_F(FreeThreadedWalk, TakesWhatEndedThreadsHaveLeft) {
  const Address second = builder_.add_segment();
  for (const Address segment : {segment_, second}) {
    builder_.add_page(segment, 2, mimalloc::gc_heap, size, 1);
    builder_.add_page(segment, 3, mimalloc::gc_pre_heap, size, 1);
    builder_.add_page(segment, 4, 1, size, 1); // of what is no container
    builder_.add_object(MimallocBuilder::block(segment, 2, size, 0));
    builder_.add_object(MimallocBuilder::block(segment, 3, size, 0) + 16);
    builder_.add_object(MimallocBuilder::block(segment, 4, size, 0));
  }
  builder_.put(builder_.pool() + fields().pool_abandoned, segment_ | 3); // with a tag
  builder_.put(builder_.pool() + fields().pool_visited, second);
  EXPECT_THAT(walk(1).objects, ElementsAre(MimallocBuilder::block(segment_, 2, size, 0),
                                           MimallocBuilder::block(second, 2, size, 0),
                                           MimallocBuilder::block(segment_, 3, size, 0) + 16,
                                           MimallocBuilder::block(second, 3, size, 0) + 16));
  EXPECT_THAT(walk(1).faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, TellsSegmentsThatAreCyclic) {
  builder_.put(builder_.pool() + fields().pool_abandoned, segment_);
  builder_.put(segment_ + fields().segment_abandoned_next, segment_);
  EXPECT_THAT(fault_of(walk(1)), HasSubstr("not to its end"));
}

TEST_F(FreeThreadedWalk, TellsSlicesThatDoNotAddUp) {
  builder_.put(builder_.pool() + fields().pool_abandoned, segment_);
  builder_.put(builder_.slice(segment_, 3), std::uint32_t{0});
  EXPECT_THAT(fault_of(walk(1)), HasSubstr("do not add up"));
}

TEST_F(FreeThreadedWalk, TellsSegmentsThatAreBeingTakenOver) {
  builder_.put(builder_.pool() + fields().pool_readers, std::uint64_t{1});
  const Recorded sink = walk(1);
  EXPECT_THAT(fault_of(sink), HasSubstr("taking over"));
  EXPECT_TRUE(sink.faults.front().in_motion);
}

TEST_F(FreeThreadedWalk, AddsUpBothCounts) {
  fill();
  builder_.add_object(block(0), gc_bits::tracked, 2, 3 << 2);
  builder_.add_object(block(1), gc_bits::tracked, 0, (5 << 2) | 3, 0); // merged
  builder_.add_object(block(2), gc_bits::tracked | gc_bits::deferred, 3, 2);
  builder_.add_object(block(3), gc_bits::tracked, 4, 2); // waits for its owner to merge it
  builder_.add_object(block(4), gc_bits::tracked, 1, 2); // and has nothing else
  builder_.add_object(block(5), gc_bits::tracked, 0xffffffff, 0, 0);
  builder_.add_object(block(6), gc_bits::tracked, 1, -(2 << 2));
  builder_.add_object(block(7), gc_bits::tracked, 0, 4 << 2, 0);
  builder_.queue(block(3));
  builder_.queue(block(4));
  const Recorded sink = walk();
  std::vector<std::int64_t> counts;
  for (const TrackedObject& each : sink.tracked) {
    counts.push_back(static_cast<std::int64_t>(each.refcount));
  }
  EXPECT_THAT(counts, ElementsAre(5, 5, 2, 3, 0, std::int64_t{immortal_refcount}, -1, 4));
  EXPECT_TRUE(builder_.runtime().is_immortal(sink.tracked[5].refcount));
  EXPECT_FALSE(builder_.runtime().is_immortal(sink.tracked[6].refcount));
  EXPECT_TRUE(sink.tracked[4].may_be_dead);
  EXPECT_FALSE(sink.tracked[3].in_motion);
  EXPECT_TRUE(sink.tracked[7].in_motion); // neither merged nor owned
}

TEST_F(FreeThreadedWalk, AQueueHoldsAReferenceWhateverTheObjectSays) {
  fill();
  builder_.add_object(block(0), gc_bits::tracked, 0, (5 << 2) | 3, 0); // merged meanwhile
  builder_.queue(block(0));
  const Recorded sink = walk();
  EXPECT_EQ(sink.tracked.front().refcount, 4U);
  EXPECT_THAT(sink.faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, TellsAnObjectThatNobodyWillMerge) {
  fill();
  builder_.add_object(block(0), gc_bits::tracked, 4, 2);
  builder_.add_object(block(1), gc_bits::tracked, 4, 2, 0x9000);
  builder_.add_object(block(2), gc_bits::tracked, 4, 2, 0x9000);
  builder_.queue(block(2));
  builder_.add_object(block(3), gc_bits::tracked, 4, 0, 0x9000); // nobody needs to
  builder_.add_object(block(4), gc_bits::tracked | gc_bits::deferred, 3, 2);
  const Recorded sink = walk();
  ASSERT_EQ(sink.faults.size(), 2U);
  for (const SpaceFault& fault : sink.faults) {
    EXPECT_EQ(fault.kind, FaultKind::unmerged);
  }
  EXPECT_EQ(sink.faults[0].object, block(0));
  EXPECT_THAT(sink.faults[0].message, ::testing::Not(HasSubstr("has ended")));
  EXPECT_EQ(sink.faults[1].object, block(1));
  EXPECT_THAT(sink.faults[1].message, HasSubstr("has ended"));
  // The collector counts what the queue would hold.
  EXPECT_EQ(sink.tracked[0].refcount, 4U);
  EXPECT_EQ(sink.tracked[2].refcount, 3U);
}

TEST_F(FreeThreadedWalk, TellsNothingOfQueuesThatItDoesNotKnow) {
  fill();
  builder_.add_object(block(0), gc_bits::tracked, 4, 2);
  fields().thread_merge_queue.reset();
  const Recorded sink = walk();
  EXPECT_EQ(sink.tracked.front().refcount, 3U); // as the object says
  EXPECT_THAT(sink.faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, TellsAQueueThatIsCyclic) {
  fill();
  builder_.queue(block(0));
  builder_.put(tests::queue_chunk, tests::queue_chunk);
  EXPECT_THAT(fault_of(walk()), HasSubstr("not to its end"));
}

TEST_F(FreeThreadedWalk, TellsAQueueThatHoldsMoreThanItCan) {
  fill();
  builder_.queue(block(0));
  builder_.put(tests::queue_chunk + 8, std::uint64_t{255});
  EXPECT_THAT(fault_of(walk()), HasSubstr("holds 255 objects"));
}

struct WrongCount {
  const char* what;
  std::uint8_t bits;
  std::uint32_t local;
  std::int64_t shared;
  std::uint64_t tid;
};

TEST_F(FreeThreadedWalk, TellsCountsThatCannotBe) {
  const std::vector<WrongCount> wrong = {
      {"is merged, but has an owner, 0x7000", 0, 0, (2 << 2) | 3, tests::owner},
      {"is merged, but has 2 references of an owner", 0, 2, (2 << 2) | 3, 0},
      {"has 2 references of an owner, but no owner", 0, 2, 0, 0},
      {"that is the address of no thread", 0, 1, 0, 0x7001},
      {"has -1 references of other threads", 0, 3, -(1 << 2), tests::owner},
      {"its counts of 2 and 0 do not have the one", gc_bits::deferred, 2, 0, tests::owner},
      {"though none is at work", gc_bits::unreachable, 2, 0, tests::owner}};
  fill();
  for (unsigned i = 0; i < wrong.size(); ++i) {
    builder_.add_object(block(i), gc_bits::tracked | wrong[i].bits, wrong[i].local, wrong[i].shared,
                        wrong[i].tid);
  }
  const Recorded sink = walk();
  ASSERT_EQ(sink.faults.size(), wrong.size());
  for (unsigned i = 0; i < wrong.size(); ++i) {
    EXPECT_EQ(sink.faults[i].kind, FaultKind::count);
    EXPECT_EQ(sink.faults[i].object, block(i));
    EXPECT_THAT(sink.faults[i].message, HasSubstr(wrong[i].what));
  }
  // While a collection runs ob_tid is gc_refs, and other fields are the collector's too.
  builder_.interpreter.collecting = true;
  EXPECT_THAT(walk().faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, JudgesNoCountsWhileThreadsAreStopped) {
  fill();
  builder_.add_object(block(0), gc_bits::tracked, 2, 0, 0);
  builder_.put(tests::interpreter_state + fields().interp_world_stopped, std::uint8_t{1});
  EXPECT_THAT(walk().faults, IsEmpty());
}

TEST_F(FreeThreadedWalk, LeavesOutMemoryThatIsNoObjectYet) {
  fill();
  builder_.put(block(2) + 24, std::uint64_t{0xcdcdcdcdcdcdcdcd});
  builder_.put(block(3) + 24, std::uint64_t{0xdddddddddddddddd});
  EXPECT_EQ(walk().objects.size(), capacity - 2U);
}

} // namespace
} // namespace pygc::cpython
