// What of a region a replayer has to read: of files with holes, and of our own memory.
#include "common/base/unique_fd.h"
#include "common/machine/page.h"
#include "common/replay/written_memory.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::replay {
namespace {

constexpr Address start = 0x7f0000000000;
constexpr std::uint64_t size = std::uint64_t{8} << 20U;
constexpr std::uint64_t skew = 64; // of the region's first byte in the file
constexpr std::array<std::uint64_t, 4> used = {0x1000, 0x3000, 0x400000, 0x7ff000};

image::Region region_of(int fd, std::uint64_t offset) {
  image::Region region;
  region.start = start;
  region.end = start + size;
  region.source = image::Source::saved;
  region.fd = fd;
  region.offset = offset;
  return region;
}

/// Every used place is in a range, the ranges lie in the region, and most of it is in none.
void expect_used(const std::vector<image::Range>& ranges) {
  std::uint64_t written = 0;
  Address before = start;
  for (const image::Range& range : ranges) {
    EXPECT_EQ(range.start % machine::page_size(), 0U);
    EXPECT_EQ(range.end % machine::page_size(), 0U);
    EXPECT_GE(range.start, before);
    EXPECT_LT(range.start, range.end);
    before = range.end;
    written += range.end - range.start;
  }
  EXPECT_LE(before, start + size);
  EXPECT_LT(written, 0x10000U);
  for (const std::uint64_t at : used) {
    EXPECT_TRUE(std::ranges::any_of(ranges, [at](const image::Range& range) {
      return range.contains(start + at);
    })) << at;
  }
}

TEST(WrittenMemory, OfAFileIsWhatIsNoHole) {
  const UniqueFd file(::memfd_create("core", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), size + 2 * skew), 0);
  for (const std::uint64_t at : used) {
    ASSERT_EQ(::pwrite(file.get(), "x", 1, static_cast<off_t>(skew + at)), 1);
  }
  expect_used(written_memory(region_of(file.get(), skew)));
}

TEST(WrittenMemory, OfOurOwnIsWhatHasPages) {
  void* memory = ::mmap(nullptr, size + machine::page_size(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ::madvise(memory, size, MADV_NOHUGEPAGE);
  auto* bytes = static_cast<char*>(memory);
  for (const std::uint64_t at : used) {
    bytes[skew + at] = 'x';
  }
  const UniqueFd file(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  expect_used(
      written_memory(region_of(file.get(), reinterpret_cast<std::uintptr_t>(bytes) + skew)));
  ::munmap(memory, size + machine::page_size());
}

TEST(WrittenMemory, WithoutHolesIsAll) {
  const UniqueFd file(::memfd_create("core", MFD_CLOEXEC));
  const std::vector<char> bytes(size + 2 * skew, 'x');
  ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const auto ranges = written_memory(region_of(file.get(), skew));
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges.front().start, start);
  EXPECT_EQ(ranges.front().end, start + size);
}

} // namespace
} // namespace pygc::replay
