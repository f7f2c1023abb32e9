// The collector of builds with a GIL: what it takes in which order, and what it notes in objects.
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

} // namespace
} // namespace pygc::cpython
