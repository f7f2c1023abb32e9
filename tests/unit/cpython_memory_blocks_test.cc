// Blocks of pymalloc and malloc in memory made by hand, and what must not be taken for one.
#include "common/cpython/objects/memory_blocks.h"

#include <bit>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr Address area = 0x7f00'0000'0000;
constexpr std::uint64_t area_size = std::uint64_t{64} << 10U;
constexpr Address pool_head = 48;

class MemoryBlocksTest : public ::testing::Test {
protected:
  void put(Address at, std::uint64_t value) {
    std::memcpy(bytes_.data() + (at - area), &value, sizeof value);
  }
  void put32(Address at, std::uint32_t value) {
    std::memcpy(bytes_.data() + (at - area), &value, sizeof value);
  }

  /// `carved` blocks, of which the last `free` are on the free list.
  void put_pool(Address base, std::uint64_t pool_size, std::uint32_t block, std::uint32_t carved,
                std::uint32_t free) {
    const auto block_at = [&](std::uint32_t i) { return base + pool_head + Address{i} * block; };
    put32(base, carved - free);
    put(base + 8, free == 0 ? 0 : block_at(carved - free));
    for (std::uint32_t i = carved - free; i < carved; ++i) {
      put(block_at(i), i + 1 == carved ? 0 : block_at(i + 1));
    }
    put32(base + 36, block / 16 - 1);
    put32(base + 40, static_cast<std::uint32_t>(pool_head) + carved * block);
    put32(base + 44, static_cast<std::uint32_t>(pool_size) - block);
  }

  std::optional<MemoryBlock> block_at(Address address) {
    const int fd = ::memfd_create("pygc_test", MFD_CLOEXEC);
    EXPECT_EQ(::write(fd, bytes_.data(), bytes_.size()), static_cast<ssize_t>(bytes_.size()));
    image::AddressSpace memory;
    memory.own(fd);
    EXPECT_TRUE(memory.add({.start = area,
                            .end = area + area_size,
                            .source = image::Source::saved,
                            .fd = fd,
                            .permissions = {.read = true, .write = true},
                            .why_missing = {}}));
    memory.sort();
    const Layout layout;
    return MemoryBlocks(memory, layout).block_at(address);
  }

  std::vector<std::byte> bytes_ = std::vector<std::byte>(area_size);
};

TEST_F(MemoryBlocksTest, OfPoolsAreThoseOfTheirClass) {
  for (const std::uint64_t size : {std::uint64_t{16384}, std::uint64_t{4096}}) {
    bytes_.assign(area_size, std::byte{0});
    put_pool(area + size, size, 64, 40, 3);
    const Address object = area + size + pool_head + 5 * 64;
    const auto block = block_at(object);
    ASSERT_TRUE(block) << size;
    EXPECT_EQ(block->start, object);
    EXPECT_EQ(block->size, 64U);
    EXPECT_EQ(block->room, 64U);
    EXPECT_EQ(block->allocator, Allocator::pymalloc);
    EXPECT_EQ(block->basis, BlockBasis::proven);
    EXPECT_FALSE(block_at(object + 16));                       // within it
    EXPECT_FALSE(block_at(area + size + pool_head + 38 * 64)); // free
    EXPECT_FALSE(block_at(area + size + pool_head + 41 * 64)); // never handed out
  }
}

TEST_F(MemoryBlocksTest, OfPoolsThatDoNotAgreeWithThemselvesAreNone) {
  const Address pool = area + 16384;
  const Address object = pool + pool_head + 5 * 64;
  const auto damaged = [&](const std::function<void()>& damage) {
    bytes_.assign(area_size, std::byte{0});
    put_pool(pool, 16384, 64, 40, 3);
    damage();
    return block_at(object);
  };
  ASSERT_TRUE(damaged([] {}));
  EXPECT_FALSE(damaged([&] { put32(pool, 36); }));       // the free list is longer
  EXPECT_FALSE(damaged([&] { put32(pool, 38); }));       // and shorter
  EXPECT_FALSE(damaged([&] { put32(pool, 0); }));        // all are free
  EXPECT_FALSE(damaged([&] { put32(pool + 36, 200); })); // no such class
  EXPECT_FALSE(damaged([&] { put32(pool + 40, 16384 + 48); }));
  EXPECT_FALSE(damaged([&] { put32(pool + 44, 16384); }));
  EXPECT_FALSE(damaged([&] { put(pool + 8, pool + pool_head + 8); })); // between blocks
  EXPECT_FALSE(damaged([&] { put(pool + 8, 1); }));                    // elsewhere
  EXPECT_FALSE(damaged([&] { put(pool + pool_head + 39 * 64, pool + pool_head + 37 * 64); }));
}

TEST_F(MemoryBlocksTest, WithDebugHooksHaveTheSizeThatWasAskedFor) {
  put_pool(area + 16384, 16384, 96, 40, 0);
  const Address raw = area + 16384 + pool_head + 2 * 96;
  put(raw, std::byteswap(std::uint64_t{56}));
  put(raw + 8, 0xfdfd'fdfd'fdfd'fd00 | 'o');
  put(raw + 16 + 56, 0xfdfd'fdfd'fdfd'fdfd);
  const auto block = block_at(raw + 16);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->size, 96U);
  EXPECT_EQ(block->requested, 56U);
  EXPECT_EQ(block->room, 56U);
  put(raw + 16 + 56, 0); // written beyond its end: then nothing is known of it
  EXPECT_FALSE(block_at(raw + 16));
}

TEST_F(MemoryBlocksTest, OfMallocLookLikeChunks) {
  const Address chunk = area + 0x2000;
  const auto with = [&](std::uint64_t field, std::uint64_t next) {
    bytes_.assign(area_size, std::byte{0});
    put(chunk + 8, field);
    put(chunk + 0x410 + 8, next);
    return block_at(chunk + 16);
  };
  const auto block = with(0x411, 0x21);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->size, 0x410U);
  EXPECT_EQ(block->room, 0x408U);
  EXPECT_EQ(block->allocator, Allocator::malloc);
  EXPECT_EQ(block->basis, BlockBasis::likely);
  EXPECT_FALSE(with(0x411, 0x20)); // the next one says that it is free
  EXPECT_FALSE(with(0x411, 0x13)); // and has no size that can be
  EXPECT_FALSE(with(0x411 + 8 * area_size, 0x21));
  EXPECT_FALSE(with(0x9, 0x21));
  EXPECT_TRUE(with(0x1000 | 2, 0)); // mapped by itself
  EXPECT_FALSE(with(0x1010 | 2, 0));
}

} // namespace
} // namespace pygc::cpython
