// Work in pieces on all processors.
#include "common/target/live/parallel.h"

#include <atomic>
#include <gtest/gtest.h>
#include <vector>

namespace pygc::target {
namespace {

bool never() {
  return false;
}

TEST(Parallel, EachPieceOnce) {
  std::vector<std::atomic<int>> done(1000);
  EXPECT_TRUE(in_parallel(done.size(), [&](std::size_t i) { ++done[i]; }, never));
  for (const auto& times : done) {
    EXPECT_EQ(times, 1);
  }
}

TEST(Parallel, NothingToDo) {
  EXPECT_TRUE(in_parallel(0, [](std::size_t) { FAIL(); }, [] { return true; }));
}

TEST(Parallel, StopsAfterWhatWasBegun) {
  std::atomic<int> asked = 0;
  std::atomic<std::size_t> done = 0;
  // A helper may be ahead, but not by all: it waits for the one who is asked.
  const auto work = [&](std::size_t) {
    while (asked == 0) {
    }
    ++done;
  };
  EXPECT_FALSE(in_parallel(SIZE_MAX, work, [&] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
  EXPECT_GE(done, 2U);
}

} // namespace
} // namespace pygc::target
