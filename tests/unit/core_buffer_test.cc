// A core in our own memory: what it holds when it grows, which of its pages are made, and that it
// is read as a file is.
#include "common/machine/page.h"
#include "common/target/core/core_file.h"
#include "common/target/live/core_buffer.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <vector>

namespace pygc::target {
namespace {

constexpr std::uint64_t megabyte = std::uint64_t{1} << 20;

std::size_t resident_pages(CoreBuffer& core) {
  std::byte* first = core.bytes().data() - CoreBuffer::lead;
  std::vector<unsigned char> there(core.bytes().size() / machine::page_size());
  EXPECT_EQ(::mincore(first, there.size() * machine::page_size(), there.data()), 0);
  return static_cast<std::size_t>(
      std::ranges::count_if(there, [](unsigned char page) { return (page & 1U) != 0; }));
}

bool never() {
  return false;
}

TEST(CoreBuffer, KeepsWhatWasWrittenWhenItGrows) {
  CoreBuffer core;
  ASSERT_TRUE(core.resize(100));
  core.bytes()[99] = std::byte{7};
  ASSERT_TRUE(core.resize(1000 * megabyte));
  ASSERT_EQ(core.bytes().size(), 1000 * megabyte);
  EXPECT_EQ(core.bytes()[99], std::byte{7});
  EXPECT_EQ(core.bytes().back(), std::byte{0});
  core.bytes().back() = std::byte{8};
  CoreBuffer other = std::move(core);
  EXPECT_EQ(other.bytes().back(), std::byte{8});
}

// Of a process that grows while its first pages are made.
TEST(CoreBuffer, GrowsWhenSomeOfItsPagesAreHuge) {
  CoreBuffer core;
  ASSERT_TRUE(core.resize(40 * megabyte));
  const std::vector<PlannedPiece> pieces = {
      {.start = 0, .size = 8 * megabyte, .offset = 0},
      {.start = 0, .size = 8 * megabyte, .offset = 20 * megabyte}};
  ASSERT_TRUE(core.make_pages(pieces, never));
  for (std::uint64_t i = 0; i < 40; ++i) {
    core.bytes()[i * megabyte] = static_cast<std::byte>(i);
  }
  ASSERT_TRUE(core.resize(800 * megabyte));
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_EQ(core.bytes()[i * megabyte], static_cast<std::byte>(i)) << i;
  }
  EXPECT_EQ(core.bytes().back(), std::byte{0});
}

TEST(CoreBuffer, MakesThePagesOfThePiecesAndHardlyAnyOther) {
  CoreBuffer core;
  ASSERT_TRUE(core.resize(400 * megabyte));
  std::vector<PlannedPiece> pieces = {{.start = 0, .size = 8 * megabyte, .offset = 0}};
  for (std::uint64_t i = 1; i < 40; ++i) { // as stacks that are hardly used lie
    pieces.push_back({.start = 0, .size = 8192, .offset = i * 10 * megabyte});
  }
  ASSERT_TRUE(core.make_pages(pieces, never));
  const std::size_t page = machine::page_size();
  EXPECT_GE(resident_pages(core), (8 * megabyte + 39 * 8192) / page);
  EXPECT_LE(resident_pages(core), (11 * megabyte + 39 * 16384) / page);
  EXPECT_FALSE(core.make_pages(pieces, [] { return true; }));
}

TEST(CoreBuffer, OffsetsAreNotThoseOfPages) {
  CoreBuffer core;
  ASSERT_TRUE(core.resize(megabyte));
  EXPECT_NE(reinterpret_cast<std::uintptr_t>(core.bytes().data()) % machine::page_size(), 0U);
}

TEST(CoreBuffer, WhatIsNoCoreIsRefusedAsInAFile) {
  CoreBuffer core;
  ASSERT_TRUE(core.resize(megabyte));
  const auto opened = open_core(core.bytes(), "process 1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::not_a_core);
  EXPECT_THAT(opened.error().reason, ::testing::StartsWith("process 1: "));
}

} // namespace
} // namespace pygc::target
