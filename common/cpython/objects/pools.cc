#include "common/cpython/objects/pools.h"

#include <cstddef>

namespace pygc::cpython {
namespace {

/// struct pool_header.
struct Header {
  std::uint32_t count = 0; // blocks in use; in a union with a pointer
  std::uint32_t padding = 0;
  Address free_block = 0;
  Address next_pool = 0;
  Address previous_pool = 0;
  std::uint32_t arena_index = 0;
  std::uint32_t size_index = 0;
  std::uint32_t next_offset = 0; // of the first block that was never handed out
  std::uint32_t max_next_offset = 0;
};
static_assert(sizeof(Header) == 48);

constexpr std::uint32_t alignment = 16;
constexpr std::uint32_t size_classes = 64; // 32 of 512 bytes; room for more

} // namespace

Pools::Pool Pools::read_pool(Address base, std::uint64_t size) const {
  const auto header = memory_.load<Header>(base);
  if (!header || header->size_index >= size_classes || memory_.host(base, size) == nullptr) {
    return {};
  }
  Pool pool;
  const std::uint32_t block = (header->size_index + 1) * alignment;
  if (header->max_next_offset != size - block || header->next_offset < sizeof(Header) ||
      header->next_offset > size || (header->next_offset - sizeof(Header)) % block != 0) {
    return {};
  }
  pool.carved = static_cast<std::uint32_t>((header->next_offset - sizeof(Header)) / block);
  if (header->count == 0 || header->count > pool.carved) {
    return {};
  }
  pool.free.assign(pool.carved, false);
  Address at = header->free_block;
  for (std::uint32_t left = pool.carved - header->count; left > 0; --left) {
    const std::uint64_t offset = at - base - sizeof(Header);
    if (at < base + sizeof(Header) || offset / block >= pool.carved || offset % block != 0 ||
        pool.free[offset / block]) {
      return {};
    }
    pool.free[offset / block] = true;
    at = memory_.load<Address>(at).value_or(1);
  }
  if (at != 0) {
    return {};
  }
  pool.block_size = block;
  return pool;
}

const Pools::Pool& Pools::pool(Address base, unsigned kind) {
  if (last_base_[kind] == base) {
    return *last_[kind];
  }
  auto found = pools_[kind].find(base);
  if (found == pools_[kind].end()) {
    found = pools_[kind].emplace(base, read_pool(base, pool_sizes[kind])).first;
  }
  last_base_[kind] = base;
  last_[kind] = &found->second;
  return found->second;
}

std::optional<Pools::Block> Pools::block(Address address) {
  for (unsigned kind = 0; kind < pool_sizes.size(); ++kind) {
    const Address base = address & ~(pool_sizes[kind] - 1);
    const Pool& found = pool(base, kind);
    if (found.block_size == 0 || address - base < sizeof(Header)) {
      continue;
    }
    const std::uint64_t index = (address - base - sizeof(Header)) / found.block_size;
    if (index < found.carved && !found.free[index]) {
      return Block{.start = base + sizeof(Header) + index * found.block_size,
                   .size = found.block_size};
    }
  }
  return std::nullopt;
}

} // namespace pygc::cpython
