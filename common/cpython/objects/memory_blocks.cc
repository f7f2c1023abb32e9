#include "common/cpython/objects/memory_blocks.h"

#include "common/cpython/collector/mimalloc.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr Address word = sizeof(Address);

// _PyMem_DebugRawAlloc (Objects/obmalloc.c): the size (big-endian), the letter of the API and seven
// FORBIDDENBYTEs lie before what it returns, eight more behind that.
constexpr Address debug_head = 2 * word;
constexpr std::uint64_t forbidden = 0xfdfd'fdfd'fdfd'fdfd;
constexpr std::string_view debug_apis = "rmo";

// struct malloc_chunk (malloc/malloc.c of glibc): prev_size and size lie before what it returns;
// the lowest bits of a size are flags.
constexpr Address chunk_head = 2 * word;
constexpr std::uint64_t previous_in_use = 1;
constexpr std::uint64_t is_mapped = 2;
constexpr std::uint64_t chunk_flags = 7;
constexpr std::uint64_t least_chunk = 4 * word;
constexpr std::uint64_t chunk_alignment = 2 * word;
constexpr std::uint64_t page_size = 4096;

bool is_chunk_size(std::uint64_t size) {
  return size >= least_chunk && size % chunk_alignment == 0;
}

MemoryBlock block_of(Address start, std::uint64_t size, Address address, Allocator allocator) {
  return {.start = start, .size = size, .room = start + size - address, .allocator = allocator};
}

} // namespace

std::string_view allocator_name(Allocator allocator) {
  switch (allocator) {
  case Allocator::pymalloc:
    return "pymalloc";
  case Allocator::mimalloc:
    return "mimalloc";
  case Allocator::malloc:
    break;
  }
  return "malloc";
}

std::string_view block_basis_name(BlockBasis basis) {
  switch (basis) {
  case BlockBasis::proven:
    return "proven";
  case BlockBasis::likely:
    return "likely";
  case BlockBasis::lower_bound:
    break;
  }
  return "lower bound";
}

struct MemoryBlocks::Segment {
  std::vector<mimalloc::Page> pages;
  std::vector<mimalloc::Blocks> blocks; // of each page
};

MemoryBlocks::MemoryBlocks(const image::AddressSpace& memory, const Layout& layout)
    : memory_(memory), layout_(layout), pools_(memory) {}

MemoryBlocks::~MemoryBlocks() = default;

std::optional<std::uint64_t> MemoryBlocks::debug_request(Address address) const {
  const auto mark = memory_.load<std::uint64_t>(address - word);
  if (!mark || (*mark | 0xff) != (forbidden | 0xff) ||
      !debug_apis.contains(static_cast<char>(*mark & 0xff))) {
    return std::nullopt;
  }
  const auto stored = memory_.load<std::uint64_t>(address - debug_head);
  const std::uint64_t size = stored ? std::byteswap(*stored) : 0;
  const image::Region* region = memory_.find(address);
  if (!stored || region == nullptr || size > region->end - address) {
    return std::nullopt;
  }
  const auto behind = memory_.load<std::uint64_t>(address + size);
  return behind && *behind == forbidden ? std::optional(size) : std::nullopt;
}

std::optional<MemoryBlock> MemoryBlocks::block_around(Address address) {
  if (layout_.free_threaded) {
    return in_segment(address);
  }
  const auto block = pools_.block(address);
  return block ? std::optional(block_of(block->start, block->size, address, Allocator::pymalloc))
               : std::nullopt;
}

std::optional<MemoryBlock> MemoryBlocks::block_at(Address address) {
  if (address < page_size || address % word != 0) {
    return std::nullopt;
  }
  auto block = block_around(address);
  if (block && block->start == address) {
    return block;
  }
  const auto requested = debug_request(address);
  const Address returned = requested ? address - debug_head : address;
  if (block && block->start != returned) {
    return std::nullopt; // the address lies within something else
  }
  if (!block) {
    block = chunk(returned);
  }
  if (block && requested) {
    block->requested = requested;
    block->room = *requested;
  }
  return block;
}

const MemoryBlocks::Segment& MemoryBlocks::segment(Address base) {
  std::unique_ptr<Segment>& known = segments_[base];
  if (known) {
    return *known;
  }
  known = std::make_unique<Segment>();
  const auto pages = mimalloc::pages_of(memory_, *layout_.free_threaded, base);
  if (!pages) {
    return *known;
  }
  for (const Address each : *pages) {
    if (const auto page = mimalloc::read_page(memory_, *layout_.free_threaded, each)) {
      known->pages.push_back(*page);
    }
  }
  std::ranges::sort(known->pages, {}, &mimalloc::Page::start);
  for (const mimalloc::Page& page : known->pages) {
    known->blocks.push_back(mimalloc::allocated_blocks(memory_, page));
  }
  return *known;
}

std::optional<MemoryBlock> MemoryBlocks::in_segment(Address address) {
  const Segment& found = segment(address & ~(mimalloc::segment_size - 1));
  const auto behind = std::ranges::upper_bound(found.pages, address, {}, &mimalloc::Page::start);
  if (behind == found.pages.begin()) {
    return std::nullopt;
  }
  const mimalloc::Page& page = *std::prev(behind);
  const auto& blocks = found.blocks[static_cast<std::size_t>(&page - found.pages.data())];
  const std::uint64_t index = (address - page.start) / page.block_size;
  if (index >= page.capacity || !blocks.problem.empty() || index >= blocks.count ||
      !blocks.is_allocated(index)) {
    return std::nullopt;
  }
  return block_of(page.start + index * page.block_size, page.block_size, address,
                  Allocator::mimalloc);
}

std::optional<MemoryBlock> MemoryBlocks::chunk(Address address) const {
  const image::Region* region = memory_.find(address - word);
  const auto head = memory_.load<std::array<std::uint64_t, 2>>(address - chunk_head);
  if (region == nullptr || !region->permissions.write || !head || address % chunk_alignment != 0) {
    return std::nullopt;
  }
  const auto [before, field] = *head;
  const std::uint64_t size = field & ~chunk_flags;
  const Address start = address - chunk_head;
  if (!is_chunk_size(size) || size > region->end - start) {
    return std::nullopt;
  }
  if ((field & is_mapped) != 0) {
    if (before > start || (start - before) % page_size != 0 || (before + size) % page_size != 0) {
      return std::nullopt;
    }
  } else {
    const auto next = memory_.load<std::uint64_t>(start + size + word);
    if (!next || (*next & previous_in_use) == 0 || !is_chunk_size(*next & ~chunk_flags)) {
      return std::nullopt;
    }
  }
  // The next chunk's prev_size belongs to it, while it is in use.
  const std::uint64_t room = size - ((field & is_mapped) != 0 ? chunk_head : word);
  return MemoryBlock{.start = start,
                     .size = size,
                     .room = room,
                     .allocator = Allocator::malloc,
                     .basis = BlockBasis::likely};
}

} // namespace pygc::cpython
