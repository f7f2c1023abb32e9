// The interpreter's free lists of tuples, lists and dicts, made by hand.
#include "tests/unit/support/detectors_fixture.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using cpython::FreeListFault;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Address nowhere = 0x7000'0000'0000;
constexpr std::uint32_t tuples = 0x20; // two lists
constexpr std::uint32_t tuple_counts = 0x30;
constexpr std::uint32_t lists = 0x40; // room for three
constexpr std::uint32_t list_count = 0x58;
constexpr std::uint32_t dicts = 0x60; // room for two
constexpr std::uint32_t dict_count = 0x70;

class FreeLists : public ::testing::Test {
protected:
  FreeLists() : interpreter(heap.reserve(0x100)) {
    cpython::Layout& layout = heap.runtime().layout;
    layout.free_tuples = tuples;
    layout.free_tuple_counts = tuple_counts;
    layout.free_lists = lists;
    layout.free_list_count = list_count;
    layout.free_dicts = dicts;
    layout.free_dict_count = dict_count;
    heap.runtime().interpreters.front().address = interpreter;
  }

  Address add_free(Address next = 0) {
    const Address object = heap.reserve(16 + 48) + 16;
    heap.store(object + 24, next); // the first item of a tuple
    return object;
  }
  void add_to(std::uint32_t entries, std::uint32_t count_at, const std::vector<Address>& objects) {
    for (std::size_t i = 0; i < objects.size(); ++i) {
      heap.store(interpreter + entries + i * sizeof(Address), objects[i]);
    }
    heap.store(interpreter + count_at, objects.size());
  }
  std::vector<FreeListFact> find() {
    heap.finish();
    tests::TableReplayer replayer({}, {});
    return find_broken_free_lists(heap.input(replayer));
  }
  cpython::BrokenFreeList only() {
    const auto found = find();
    EXPECT_THAT(found, SizeIs(1));
    return found.empty() ? cpython::BrokenFreeList{} : found.front().list;
  }

  tests::HeapBuilder heap;
  Address interpreter = 0;
};

TEST_F(FreeLists, AreSound) {
  add_to(tuples, tuple_counts, {add_free(add_free(add_free())), add_free()});
  add_to(lists, list_count, {add_free(), add_free()});
  add_to(dicts, dict_count, {add_free(), add_free()});
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(FreeLists, OfTuplesGoOnInTheFirstItem) {
  const Address last = add_free(nowhere);
  add_to(tuples, tuple_counts, {0, add_free(add_free(last))});
  const auto broken = only();
  EXPECT_STREQ(broken.type, "tuple");
  EXPECT_EQ(broken.fault, FreeListFault::no_pointer);
  EXPECT_EQ(broken.place, last + 24);
  EXPECT_EQ(broken.value, nowhere);
}

TEST_F(FreeLists, HoldWhatIsAligned) {
  add_to(lists, list_count, {add_free() + 1, add_free()});
  const auto broken = only();
  EXPECT_STREQ(broken.type, "list");
  EXPECT_EQ(broken.fault, FreeListFault::no_pointer);
  EXPECT_EQ(broken.place, interpreter + lists);
}

TEST_F(FreeLists, HoldWhatIsOnNoListOfTheCollector) {
  const Address object = add_free();
  heap.store(object - 16, object); // its _gc_next
  add_to(dicts, dict_count, {object, add_free()});
  const auto broken = only();
  EXPECT_STREQ(broken.type, "dict");
  EXPECT_EQ(broken.fault, FreeListFault::linked);
  EXPECT_EQ(broken.value, object);
}

TEST_F(FreeLists, MayLackTheirLastEntryYet) {
  const Address object = add_free();
  heap.store(object - 16, object);
  add_to(dicts, dict_count, {add_free(), object});
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(FreeLists, HaveNoMoreEntriesThanRoom) {
  add_to(lists, list_count, {});
  heap.store(interpreter + list_count, 4);
  EXPECT_EQ(only().fault, FreeListFault::count);
}

TEST_F(FreeLists, OfAnInterpreterThatEndsAreNone) {
  heap.store(interpreter + list_count, 0xffff'ffff);
  EXPECT_THAT(find(), IsEmpty());
}

/// To 3.10 the empty tuple stands at the head of the first list, and may be tracked.
TEST_F(FreeLists, MayBeginWithTheEmptyTuple) {
  const Address empty = add_free(nowhere);
  heap.store(empty, 5);
  heap.store(empty - 16, empty);
  add_to(tuples, tuple_counts, {empty});
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(FreeLists, OfALikelyLayoutAreNotLookedAt) {
  add_to(lists, list_count, {1});
  heap.runtime().layout_source = cpython::LayoutSource::probed;
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(Detectors, BrokenFreeListIsACorruptObject) {
  facts_.free_lists = {
      {.interpreter = 7,
       .list = {
           .type = "tuple", .fault = FreeListFault::no_pointer, .place = 0x5000, .value = 0xdddd}}};
  const Finding finding = one(detect_object_corrupt);
  EXPECT_EQ(finding.kind, FindingKind::object_corrupt);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.address, 0x5000U);
  EXPECT_THAT(finding.message,
              AllOf(HasSubstr("list of free tuples"), HasSubstr("0xdddd at 0x5000 leads nowhere")));
}

} // namespace
} // namespace pygc::analysis
