// What the allocator gave for an object: the block that its memory lies in.
#pragma once

#include "common/cpython/layout.h"
#include "common/cpython/objects/pools.h"
#include "common/image/address_space.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pygc::cpython {

enum class Allocator : std::uint8_t {
  pymalloc,
  mimalloc, // of free-threaded builds
  malloc,   // a chunk of the C library's
};
/// "pymalloc", "mimalloc", "malloc".
std::string_view allocator_name(Allocator allocator);

/// How sure a block is; the surest first.
enum class BlockBasis : std::uint8_t {
  proven,      // the allocator's own records agree with each other, and have it in use
  likely,      // it looks like one
  lower_bound, // of a sum: not every block is known
};
/// "proven", "likely", "lower bound".
std::string_view block_basis_name(BlockBasis basis);

struct MemoryBlock {
  Address start = 0;
  std::uint64_t size = 0; // what the allocator uses for it
  std::uint64_t room = 0; // of it, from the address asked about on
  Allocator allocator = Allocator::pymalloc;
  BlockBasis basis = BlockBasis::proven;
  /// Bytes that were asked for, as the hooks of PYTHONMALLOC=debug and of debug builds have noted.
  std::optional<std::uint64_t> requested = {};
};

class MemoryBlocks {
public:
  MemoryBlocks(const image::AddressSpace& memory, const Layout& layout);
  MemoryBlocks(const MemoryBlocks&) = delete;
  MemoryBlocks& operator=(const MemoryBlocks&) = delete;
  ~MemoryBlocks();

  /// Of what an allocation has returned.
  std::optional<MemoryBlock> block_at(Address address);
  /// The same of an address that may lie within what was returned: not of malloc's chunks.
  std::optional<MemoryBlock> block_around(Address address);

private:
  struct Segment; // of mimalloc

  std::optional<std::uint64_t> debug_request(Address address) const;
  std::optional<MemoryBlock> in_segment(Address address);
  const Segment& segment(Address base);
  std::optional<MemoryBlock> chunk(Address address) const;

  const image::AddressSpace& memory_;
  const Layout& layout_;
  Pools pools_;
  std::unordered_map<Address, std::unique_ptr<Segment>> segments_;
};

} // namespace pygc::cpython
