// Memory that is fetched as it is touched: by the analysis, by the replayers.
#include "common/image/address_space.h"
#include "common/target/live/demand_memory.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::target {
namespace {

constexpr std::uint64_t page = 4096;
constexpr Address base = 0x7f10'0000'0000;

Segment segment_at(Address start, std::uint64_t pages) {
  return {.start = start,
          .size = pages * page,
          .saved = pages * page,
          .permissions = {.read = true, .write = true}};
}

/// A process in which each byte tells its page, and some pages cannot be read.
struct Process {
  std::vector<Address> unreadable;
  std::vector<std::pair<Address, std::size_t>> fetched;

  DemandMemory::Fetch fetch() {
    return [this](const Segment&, Address address, std::span<std::byte> to) {
      fetched.emplace_back(address, to.size());
      for (std::size_t i = 0; i < to.size(); ++i) {
        const Address at = (address + i) / page * page;
        if (std::ranges::find(unreadable, at) != unreadable.end()) {
          return false;
        }
        to[i] = content(at);
      }
      return true;
    };
  }
  static std::byte content(Address at) { return static_cast<std::byte>(at / page % 251 + 1); }
};

std::unique_ptr<DemandMemory> memory_of(std::vector<Segment> segments, Process& process) {
  auto memory = DemandMemory::create(std::move(segments), process.fetch());
  EXPECT_TRUE(memory);
  return std::move(*memory);
}

TEST(DemandMemory, FetchesOnceAndWhatFollowsInLargerBlocks) {
  Process process;
  const auto memory = memory_of({segment_at(base, 4096)}, process);
  std::uint64_t at = 0;
  std::uint64_t last_block = 0;
  while (at < 4096 * page) {
    const auto run = memory->bring(at);
    EXPECT_TRUE(run.readable);
    EXPECT_EQ(run.start, 0U);
    ASSERT_GT(run.end, at);
    EXPECT_GE(process.fetched.back().second, last_block);
    last_block = run.end == 4096 * page ? 0 : process.fetched.back().second;
    at = run.end;
  }
  EXPECT_LT(process.fetched.size(), 30U);
  EXPECT_EQ(memory->traffic().fetched, 4096 * page);
  const std::size_t before = process.fetched.size();
  memory->bring(17 * page);
  EXPECT_EQ(process.fetched.size(), before);
}

TEST(DemandMemory, ComesInSmallPiecesWhereItIsTouchedHereAndThere) {
  Process process;
  const auto memory = memory_of({segment_at(base, 1024)}, process);
  for (const std::uint64_t number : {1000U, 3U, 500U}) {
    const auto run = memory->bring(number * page + 5);
    EXPECT_LE(run.start, number * page);
    EXPECT_GE(run.end, (number + 1) * page);
    EXPECT_LE(run.end - run.start, 4 * page);
  }
  EXPECT_LE(memory->traffic().fetched, 12 * page);
}

TEST(DemandMemory, StaysWithinItsSegment) {
  Process process;
  Segment closed = segment_at(base + 3 * page, 2);
  closed.saved = 0;
  const auto memory =
      memory_of({segment_at(base, 3), closed, segment_at(base + 5 * page, 1)}, process);
  EXPECT_EQ(memory->segments()[2].offset, 3 * page);
  EXPECT_EQ(memory->bring(3 * page).readable, true);
  EXPECT_EQ(memory->bring(0).readable, true);
  for (const auto& [address, size] : process.fetched) {
    EXPECT_TRUE(address >= base + 5 * page || address + size <= base + 3 * page);
  }
}

TEST(DemandMemory, APageThatCannotBeReadCostsNoOther) {
  Process process;
  process.unreadable = {base + page};
  const auto memory = memory_of({segment_at(base, 4)}, process);
  EXPECT_TRUE(memory->bring(0).readable);
  EXPECT_FALSE(memory->bring(page + 8).readable);
  EXPECT_FALSE(memory->bring(page).readable); // it stays so, and is not asked for again
  EXPECT_TRUE(memory->bring(2 * page).readable);
  EXPECT_EQ(memory->traffic().unreadable, page);
}

TEST(DemandMemory, AnAddressSpaceReadsItAsIfItWereThere) {
  Process process;
  const auto memory = memory_of({segment_at(base, 64), segment_at(base + 64 * page, 64)}, process);
  image::AddressSpace space;
  space.page(memory->fd(), *memory);
  for (const Segment& segment : memory->segments()) {
    image::Region region;
    region.start = segment.start;
    region.end = segment.start + segment.size;
    region.source = image::Source::saved;
    region.fd = memory->fd();
    region.offset = segment.offset;
    region.permissions = segment.permissions;
    ASSERT_TRUE(space.add(std::move(region)));
  }
  space.sort();
  EXPECT_EQ(memory->traffic().fetched, 0U);
  for (const std::uint64_t number : {100U, 3U, 101U, 64U, 63U}) {
    const auto bytes = space.view(base + number * page + 100, 8);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->front(), Process::content(base + number * page));
  }
  std::vector<std::byte> across(2 * page);
  ASSERT_TRUE(space.read(base + 63 * page, across));
  EXPECT_EQ(across[page - 1], Process::content(base + 63 * page));
  EXPECT_EQ(across[page], Process::content(base + 64 * page));
  EXPECT_LT(memory->traffic().fetched, 40 * page);
}

} // namespace
} // namespace pygc::target
