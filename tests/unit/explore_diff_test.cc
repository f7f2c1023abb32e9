// What has changed between two heaps, which are made by hand.
#include "common/analysis/explore/heap_diff.h"
#include "common/analysis/explore/way_counts.h"
#include "tests/unit/support/heap_builder.h"

#include <gmock/gmock.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

cpython::ObjectSize bytes(std::uint64_t count) {
  return {.bytes = count, .basis = cpython::SizeBasis::exact};
}

// Three objects of app.A, one of app.B; one of app.C.
const HeapCensus old_heap{.types = {{.name = "app.A", .objects = 3, .size = bytes(300)},
                                    {.name = "app.B", .objects = 1, .size = bytes(10)},
                                    {.name = "app.C", .objects = 1, .size = bytes(7)}},
                          .objects = {{0x100, 0}, {0x200, 0}, {0x300, 0}, {0x400, 1}, {0x900, 2}},
                          .size = bytes(317),
                          .places = {0x1, 0x2}};
// One A is gone, B's object has become an A's, three B are new; types in another order.
const HeapCensus new_heap{
    .types = {{.name = "app.B", .objects = 3, .size = bytes(500)},
              {.name = "app.A", .objects = 3, .size = bytes(300)},
              {.name = "app.C", .objects = 1, .size = bytes(7)}},
    .objects = {{0x100, 1}, {0x200, 1}, {0x400, 1}, {0x500, 0}, {0x600, 0}, {0x700, 0}, {0x900, 2}},
    .size = bytes(807),
    .places = {0x1, 0x2}};

TEST(ExploreDiff, OfOneProcessTellsObjectsApart) {
  const HeapDiff diff = compare_heaps(old_heap, 17, new_heap, 17);
  EXPECT_TRUE(diff.same_process);
  ASSERT_THAT(diff.types, SizeIs(2));
  EXPECT_EQ(diff.types[0].type, "app.B");
  EXPECT_EQ(diff.types[0].growth(), 490);
  EXPECT_EQ(diff.types[0].kept, 0U);
  EXPECT_EQ(diff.types[1].type, "app.A"); // as many as before, but not the same
  EXPECT_EQ(diff.types[1].growth(), 0);
  EXPECT_EQ(diff.types[1].kept, 2U);
  EXPECT_EQ(diff.unchanged, 1U);
  EXPECT_EQ(diff.total.old_objects, 5U);
  EXPECT_EQ(diff.total.new_objects, 7U);
  EXPECT_EQ(diff.total.growth(), 490);
  EXPECT_EQ(diff.total.kept, 3U);
}

TEST(ExploreDiff, OfOneProcessListsNewObjectsOfTheTypesAskedFor) {
  HeapCensus asked = new_heap;
  EXPECT_THAT(compare_heaps(old_heap, 17, asked, 17).new_objects, IsEmpty());
  asked.types[1].asked_for = true; // app.A
  EXPECT_THAT(compare_heaps(old_heap, 17, asked, 17).new_objects, ElementsAre(0x400));
  asked.types[0].asked_for = true;
  EXPECT_THAT(compare_heaps(old_heap, 17, asked, 17).new_objects,
              ElementsAre(0x400, 0x500, 0x600, 0x700));
  EXPECT_THAT(compare_heaps(old_heap, 17, asked, 18).new_objects, IsEmpty());
}

TEST(ExploreDiff, OfTwoProcessesCountsOnly) {
  const HeapDiff other_pid = compare_heaps(old_heap, 17, new_heap, 18);
  EXPECT_FALSE(other_pid.same_process);
  ASSERT_THAT(other_pid.types, SizeIs(1));
  EXPECT_EQ(other_pid.types[0].type, "app.B");
  EXPECT_EQ(other_pid.unchanged, 2U);
  HeapCensus elsewhere = new_heap;
  elsewhere.places = {0x1, 0x3}; // the same number, used again
  EXPECT_FALSE(compare_heaps(old_heap, 17, elsewhere, 17).same_process);
  EXPECT_FALSE(compare_heaps(old_heap, 0, new_heap, 0).same_process); // not known
}

TEST(ExploreDiff, OfAHeapWithItselfIsEmpty) {
  const HeapDiff diff = compare_heaps(old_heap, 17, old_heap, 17);
  EXPECT_THAT(diff.types, IsEmpty());
  EXPECT_EQ(diff.unchanged, 3U);
}

TEST(ExploreDiff, HasTypesThatAreNewOrGone) {
  const HeapDiff appeared = compare_heaps({}, 1, old_heap, 2);
  EXPECT_THAT(appeared.types, SizeIs(3));
  EXPECT_EQ(appeared.types[0].growth(), 300);
  const HeapDiff gone = compare_heaps(old_heap, 1, {}, 2);
  ASSERT_THAT(gone.types, SizeIs(3));
  EXPECT_EQ(gone.types[0].type, "app.C"); // what shrank most comes last
  EXPECT_EQ(gone.types[2].growth(), -300);
}

WhyPath path(std::uint64_t targets, const std::string& cache, std::vector<Root> roots = {}) {
  return {.targets = targets,
          .gc_refs = 1,
          .roots = std::move(roots),
          .steps = {{.object = {.type = "dict", .summary = "dict of module 'app'"}, .held_at = {}},
                    {.object = {.type = "list", .summary = "list of 3 items"},
                     .held_at = {.text = cache, .slot = {}}},
                    {.object = {.type = "Session", .summary = "<Session object>"},
                     .held_at = {.text = "", .slot = {}}}}};
}

TEST(ExploreWays, AreWordsWithoutAddressesAndNumbers) {
  EXPECT_EQ(way_of(path(1, "['A']")), "dict of module 'app' ['A'] list holds Session");
  const Root frame{.kind = RootKind::frame, .at = 1, .name = "f() in a.py"};
  const Root stack{.kind = RootKind::stack, .at = 1, .name = "of thread 3"};
  EXPECT_EQ(way_of(path(1, "['A']", {frame})), way_of(path(1, "['A']"))); // it has a name
  WhyPath nameless = path(1, "[0]", {frame});
  nameless.steps.front().object.summary = "dict of 3 items";
  EXPECT_EQ(way_of(nameless), "frame f() in a.py: dict [0] list holds Session");
  nameless.roots = {stack}; // another place in another process
  EXPECT_EQ(way_of(nameless), "dict [0] list holds Session");
}

TEST(ExploreWays, AreComparedByTheirWords) {
  Why before;
  before.paths = {path(5, "['A']"), path(2, "['B']"), path(4, "['C']")};
  Why after;
  after.paths = {path(1, "['D']"), path(3, "['A']"), path(2, "['B']"), path(7, "['A']")};
  const auto changes = compare_counts(count_ways(before), count_ways(after));
  ASSERT_THAT(changes, SizeIs(3));
  EXPECT_EQ(changes[0].new_objects, 10U); // two that read alike
  EXPECT_EQ(changes[0].old_objects, 5U);
  EXPECT_THAT(changes[1].what, ::testing::HasSubstr("['D']"));
  EXPECT_EQ(changes[2].old_objects, 4U);
  EXPECT_EQ(changes[2].new_objects, 0U);
}

TEST(ExploreCensus, CountsWhatCanBeUsed) {
  tests::HeapBuilder heap;
  const Address other = heap.add_type("app.Other", heap.add_function("other"));
  heap.add_object(1);
  heap.add_object(1, other);
  heap.add_object(1, other);
  heap.add_object(1, other);
  heap.heap().usable[heap::HeapIndex(3)] = false;
  heap.finish();
  const HeapCensus census = take_census(heap.reader(), heap.heap(), "Oth*");
  ASSERT_THAT(census.types, SizeIs(2));
  EXPECT_EQ(census.types[0].name, "builtins.C");
  EXPECT_EQ(census.types[1].name, "app.Other");
  EXPECT_EQ(census.types[1].objects, 2U);
  EXPECT_FALSE(census.types[0].asked_for);
  EXPECT_TRUE(census.types[1].asked_for);
  EXPECT_EQ(census.types[1].size.bytes, 2 * (48 + 16U));
  EXPECT_THAT(census.objects, SizeIs(3));
  EXPECT_THAT(census.places, ElementsAre(tests::interpreter_base, 0));
}

} // namespace
} // namespace pygc::analysis
