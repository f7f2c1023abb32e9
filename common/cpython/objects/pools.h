// The pools of pymalloc (Objects/obmalloc.c, Include/internal/pycore_obmalloc.h): pages of blocks
// of one size. Neither the size of a pool nor where the arenas are is known beforehand: what a
// pool's header says of its free list proves it, or it is none.
#pragma once

#include "common/image/address_space.h"

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pygc::cpython {

class Pools {
  static constexpr std::array<std::uint64_t, 2> pool_sizes = {16384, 4096}; // since 3.10, before

public:
  explicit Pools(const image::AddressSpace& memory) : memory_(memory) {}

  struct Block {
    Address start = 0;
    std::uint64_t size = 0;
  };
  /// The block in use that the address lies in. Nothing: it lies in no pool whose header and free
  /// list agree, or the block is free.
  std::optional<Block> block(Address address);

  /// Whether both lie in what would be one pool, of the size since 3.10.
  static constexpr bool in_one_place(Address one, Address other) {
    return one / pool_sizes[0] == other / pool_sizes[0];
  }

private:
  struct Pool {
    std::uint32_t block_size = 0; // 0: it is none
    std::uint32_t carved = 0;     // blocks that have ever been handed out, or are on the free list
    std::vector<bool> free;       // of them
  };

  Pool read_pool(Address base, std::uint64_t size) const;
  const Pool& pool(Address base, unsigned kind);

  const image::AddressSpace& memory_;
  std::array<std::unordered_map<Address, Pool>, pool_sizes.size()> pools_;
  std::array<Address, pool_sizes.size()> last_base_ = {1, 1}; // no base
  std::array<const Pool*, pool_sizes.size()> last_ = {};
};

} // namespace pygc::cpython
