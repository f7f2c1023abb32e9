// What the allocator of free-threaded builds has not given out: arenas made by hand.
#include "common/cpython/objects/unused_memory.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/mimalloc_builder.h"

#include <gmock/gmock.h>

namespace pygc::cpython {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::MimallocBuilder;

constexpr Address arenas = tests::state_base + 0x7c00; // the array
constexpr Address arena = tests::state_base + 0x7d00;
constexpr std::uint64_t blocks = 3;

MATCHER_P2(Between, start, end, "") {
  return arg.start == start && arg.end == end;
}

class UnusedMemory : public ::testing::Test {
protected:
  UnusedMemory() : segment_(builder_.add_segment()) {
    builder_.runtime().module = &module_;
    module_.symbols["mi_arenas"] = arenas;
    builder_.put(arenas, arena);
    builder_.put(arena + 32, segment_);
    builder_.put(arena + 40, blocks);
    builder_.put(arena + 48, std::uint64_t{1}); // words of each bitmap
    for (unsigned i = 0; i < 3; ++i) {          // three bitmaps behind the one that follows them
      builder_.put(arena + 72 + i * sizeof(Address), bitmap_ + (i + 1) * sizeof(std::uint64_t));
    }
    builder_.put(bitmap_, std::uint64_t{1}); // the first block is in use
  }

  std::vector<image::Range> unused() {
    return unused_memory(builder_.finish(), builder_.runtime());
  }
  Address slice(unsigned index) const { return segment_ + index * mimalloc::slice_size; }
  Address behind() const { return segment_ + blocks * mimalloc::segment_size; }

  tests::FakeModule module_;
  MimallocBuilder builder_;
  Address segment_;
  Address bitmap_ = arena + 72 + 3 * sizeof(Address);
};

TEST_F(UnusedMemory, IsWhatLiesInNoPageAndNoSegment) {
  builder_.add_page(segment_, 3, mimalloc::gc_heap, 64, 8);
  EXPECT_THAT(unused(), ElementsAre(Between(slice(tests::header_slices), slice(3)),
                                    Between(slice(4), slice(tests::segment_slices)),
                                    Between(segment_ + mimalloc::segment_size, behind())));
}

TEST_F(UnusedMemory, IsNothingOfASegmentThatDoesNotAddUp) {
  builder_.put(builder_.slice(segment_, 3), std::uint32_t{100});
  EXPECT_THAT(unused(), ElementsAre(Between(segment_ + mimalloc::segment_size, behind())));
}

TEST_F(UnusedMemory, IsNothingWithoutTheNameOfTheArenas) {
  module_.symbols.clear();
  EXPECT_THAT(unused(), IsEmpty());
}

TEST_F(UnusedMemory, IsNothingOfAnArenaThatDoesNotLookLikeOne) {
  builder_.put(arena + 72, bitmap_);
  EXPECT_THAT(unused(), IsEmpty());
}

TEST_F(UnusedMemory, IsNothingWithAGil) {
  builder_.runtime().layout.free_threaded.reset();
  EXPECT_THAT(unused_memory(builder_.finish(), builder_.runtime()), IsEmpty());
}

TEST(Ranges, WithoutOthers) {
  const std::vector<image::Range> taken = {{10, 20}, {30, 40}, {60, 70}};
  EXPECT_THAT(without({0, 100}, taken), ElementsAre(Between(0U, 10U), Between(20U, 30U),
                                                    Between(40U, 60U), Between(70U, 100U)));
  EXPECT_THAT(without({12, 35}, taken), ElementsAre(Between(20U, 30U)));
  EXPECT_THAT(without({12, 18}, taken), IsEmpty());
  EXPECT_THAT(without({44, 50}, taken), ElementsAre(Between(44U, 50U)));
  EXPECT_THAT(without({0, 5}, {}), ElementsAre(Between(0U, 5U)));
}

} // namespace
} // namespace pygc::cpython
