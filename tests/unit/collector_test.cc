// The collectors of builds with a GIL and without: what they take in which order, and what they
// note in objects.
#include "common/cpython/collector/collector.h"
#include "common/heap/collected_set.h"

#include <gtest/gtest.h>

namespace pygc::cpython {
namespace {

using Indices = std::vector<std::size_t>;

/// As a running collection of a build with three generations has them.
Interpreter interpreter() {
  Interpreter made;
  for (const char* name : {"0", "1", "2"}) {
    made.spaces.push_back({.kind = SpaceKind::collected, .name = name});
  }
  made.spaces.push_back({.kind = SpaceKind::permanent, .name = "permanent"});
  return made;
}

TEST(Collector, JoinsYoungerGenerationsBehindTheOldestOne) {
  const Layout layout;
  const Collector& collector = collector_of(layout);
  EXPECT_EQ(collector.taken(interpreter(), 0), Indices({0}));
  EXPECT_EQ(collector.taken(interpreter(), 1), Indices({1, 0}));
  EXPECT_EQ(collector.taken(interpreter(), SIZE_MAX), Indices({2, 0, 1}));
}

TEST(Collector, SweepsWhatIsFrozenLast) {
  EXPECT_EQ(heap::swept_spaces({}, interpreter()), Indices({2, 0, 1, 3}));
}

TEST(Collector, KnowsTheWordsOfAPyGcHead) {
  Layout layout;
  layout.gc_head_size = 16;
  layout.gc_prev = 8;
  const Stepping& stepping = *collector_of(layout).stepping();
  EXPECT_EQ(stepping.gc_refs_word(layout, 0x1010), 0x1008U);
  EXPECT_EQ(stepping.link_behind(layout, 0x1010), 0x1000U);
  EXPECT_EQ(stepping.link_to_first(layout, 0x2000), 0x2000U);
  EXPECT_EQ(stepping.least_with_reference(), 4U);
  EXPECT_TRUE(stepping.is_cursor(layout, 0x1010, 0x1010));
  EXPECT_TRUE(stepping.is_cursor(layout, 0x1001, 0x1010)); // a link with a flag
  EXPECT_FALSE(stepping.is_cursor(layout, 0x1008, 0x1010));
}

TEST(Collector, KeepsANegativeGcRefs) {
  const GcState negative(-3, true, true);
  EXPECT_EQ(negative.gc_refs(), -3);
  EXPECT_TRUE(negative.is_collecting());
  EXPECT_TRUE(negative.is_finalized());
  const GcState fresh;
  EXPECT_FALSE(fresh.is_collecting());
  EXPECT_FALSE(fresh.is_finalized());
}

Layout free_threaded() {
  Layout layout;
  layout.free_threaded.emplace();
  return layout;
}

TEST(Collector, WithoutAGilTakesAllEachTime) {
  Interpreter made;
  for (const char* name : {"thread 1", "thread 2", "abandoned"}) {
    made.spaces.push_back({.kind = SpaceKind::collected, .name = name});
  }
  made.spaces.push_back({.kind = SpaceKind::permanent, .name = "permanent"});
  const Layout layout = free_threaded();
  const Collector& collector = collector_of(layout);
  EXPECT_EQ(collector.taken(made, 0), Indices({0, 1, 2}));
  EXPECT_EQ(collector.taken(made, SIZE_MAX), Indices({0, 1, 2}));
}

TEST(Collector, WithoutAGilHasNoListsToFollow) {
  const Layout layout = free_threaded();
  const Collector& collector = collector_of(layout);
  EXPECT_FALSE(collector.has_lists());
  const Stepping& stepping = *collector.stepping();
  EXPECT_FALSE(stepping.has_links());
  EXPECT_EQ(stepping.gc_refs_word(layout, 0x1000), 0x1000U); // ob_tid is first
  EXPECT_TRUE(stepping.is_cursor(layout, 0x1000, 0x1000));
  EXPECT_FALSE(stepping.is_cursor(layout, 0x1010, 0x1000));
}

TEST(Collector, WithoutAGilOnlyOneCountIsThatOfImmortalObjects) {
  Runtime runtime;
  runtime.layout = free_threaded();
  EXPECT_TRUE(runtime.is_immortal(0xffffffffU));
  EXPECT_FALSE(runtime.is_immortal(0xfffffffeU));
  EXPECT_FALSE(runtime.is_immortal(~std::uint64_t{0})); // -1: damaged, not immortal
}

} // namespace
} // namespace pygc::cpython
