#include "common/cpython/collector/mimalloc.h"

#include "common/cpython/type_proof.h"

#include <bit>
#include <fmt/format.h>

namespace pygc::cpython::mimalloc {
namespace {

constexpr std::uint32_t huge_block = std::uint32_t{1} << 31U; // MI_HUGE_BLOCK_SIZE
constexpr std::uint64_t slices_per_segment = segment_size / slice_size;
// More memory than one object can take.
constexpr std::uint64_t slice_limit = (std::uint64_t{1} << 40U) / slice_size;
constexpr std::size_t delayed_limit = std::size_t{1} << 26U;
constexpr std::size_t segment_limit = std::size_t{1} << 22U;
constexpr Address list_flags = 3; // of xthread_free: mi_delayed_t
constexpr unsigned tag_shift = 3; // is_committed, is_zero_init and use_qsbr come first
constexpr unsigned tag_bits = 0xf;

std::unexpected<Error> damaged(Address at, std::string reason) {
  return fail(ErrorKind::corrupt, at, std::move(reason));
}

/// _mi_segment_page_start_from_slice: blocks of small sizes begin a little further on.
std::uint64_t start_offset(std::uint64_t block_size) {
  if (block_size < sizeof(Address) || block_size > 512) {
    return 0;
  }
  return block_size <= 64 ? 3 * block_size : block_size;
}

/// mi_block_nextx: `null` stands for the end of an encoded list.
Address decode(Address word, const Keys& keys, Address null) {
  if (!keys) {
    return word;
  }
  const Address next = std::rotr(word - (*keys)[0], static_cast<int>((*keys)[0] % 64)) ^ (*keys)[1];
  return next == null ? 0 : next;
}

/// Reads fields of one struct; the first that cannot be read is the error.
class Fields {
public:
  Fields(const image::AddressSpace& memory, Address base) : memory_(memory), base_(base) {}

  template <class T> T get(std::uint32_t offset) {
    const auto value = memory_.load<T>(base_ + offset);
    if (!value && !error_) {
      error_ = value.error();
    }
    return value.value_or(T{});
  }
  const std::optional<Error>& error() const { return error_; }

private:
  const image::AddressSpace& memory_;
  Address base_;
  std::optional<Error> error_;
};

/// How many slices the segment has, for pages and for what describes them.
struct Extent {
  std::uint64_t slices = 0;
  std::uint64_t entries = 0;
};

Result<Extent> read_extent(const image::AddressSpace& memory, const FreeThreadedLayout& layout,
                           Address segment) {
  Fields fields(memory, segment);
  const Extent extent{.slices = fields.get<std::uint64_t>(layout.segment_slice_count),
                      .entries = fields.get<std::uint64_t>(layout.segment_slice_entries)};
  if (fields.error()) {
    return std::unexpected(*fields.error());
  }
  if (extent.slices == 0 || extent.slices > slice_limit || extent.entries == 0 ||
      extent.entries > slices_per_segment || extent.entries > extent.slices) {
    return damaged(segment, fmt::format("there is no segment of the allocator at {:#x}", segment));
  }
  return extent;
}

/// Takes what a free list leads to out of the allocated blocks.
class FreeLists {
public:
  FreeLists(const image::AddressSpace& memory, const Page& page, Blocks& blocks)
      : memory_(memory), page_(page), blocks_(blocks), list_of_(page.capacity, 0) {}

  /// False when the list does not hang together.
  bool take(Address head, std::uint8_t list) {
    Address before = page_.address;
    for (Address block = head; block != 0;) {
      const Address offset = block - page_.start;
      if (block < page_.start || offset % page_.block_size != 0 ||
          offset / page_.block_size >= page_.capacity) {
        return tell(fmt::format("a free list of the page at {:#x} leads from {:#x} to {:#x}, which "
                                "is no block of the page",
                                page_.address, before, block));
      }
      const std::size_t index = offset / page_.block_size;
      if (list_of_[index] == list) {
        return tell(
            fmt::format("a free list of the page at {:#x} is cyclic: it comes back to {:#x}",
                        page_.address, block));
      }
      if (list_of_[index] != 0) {
        return true; // a thread was just joining the two
      }
      list_of_[index] = list;
      blocks_.take_out(index);
      const auto next = memory_.load<Address>(block);
      if (!next) {
        blocks_.memory_missing = is_not_saved(next);
        return tell(fmt::format("a free list of the page at {:#x} cannot be read: {}",
                                page_.address, next.error().reason));
      }
      before = block;
      block = decode(*next, page_.keys, page_.address);
    }
    return true;
  }

private:
  bool tell(std::string problem) {
    blocks_.problem = std::move(problem);
    return false;
  }

  const image::AddressSpace& memory_;
  const Page& page_;
  Blocks& blocks_;
  std::vector<std::uint8_t> list_of_; // by block; 0: none
};

} // namespace

Result<Page> read_page(const image::AddressSpace& memory, const FreeThreadedLayout& layout,
                       Address address) {
  const Address segment = address & ~(segment_size - 1);
  const Address slices = segment + layout.segment_slices;
  if (!is_plausible(address, sizeof(Address)) || address < slices || layout.page_size == 0 ||
      (address - slices) % layout.page_size != 0) {
    return damaged(address, fmt::format("{:#x} is no address of an allocator's page", address));
  }
  const auto extent = read_extent(memory, layout, segment);
  if (!extent) {
    return std::unexpected(extent.error());
  }
  Fields fields(memory, address);
  const auto count = fields.get<std::uint32_t>(layout.page_slice_count);
  const auto reserved = fields.get<std::uint16_t>(layout.page_reserved);
  const auto size = fields.get<std::uint32_t>(layout.page_block_size);
  Page page;
  page.address = address;
  page.capacity = fields.get<std::uint16_t>(layout.page_capacity);
  page.used = fields.get<std::uint32_t>(layout.page_used);
  page.tag =
      static_cast<unsigned>(fields.get<std::uint8_t>(layout.page_debug_offset - 1) >> tag_shift) &
      tag_bits;
  page.heap = fields.get<Address>(layout.page_heap);
  page.next = fields.get<Address>(layout.page_next);
  page.free = {fields.get<Address>(layout.page_free), fields.get<Address>(layout.page_local_free),
               fields.get<Address>(layout.page_thread_free) & ~list_flags};
  if (layout.page_keys) {
    page.keys = fields.get<std::array<std::uint64_t, 2>>(*layout.page_keys);
  }
  if (fields.error()) {
    return std::unexpected(*fields.error());
  }
  const std::uint64_t index = (address - slices) / layout.page_size;
  if (index == 0 || index >= extent->entries || count == 0 || index + count > extent->slices) {
    return damaged(address, fmt::format("the page of the allocator at {:#x} lies outside of its "
                                        "segment",
                                        address));
  }
  const std::uint64_t whole = std::uint64_t{count} * slice_size;
  page.block_size = size < huge_block ? size : whole;
  page.start = segment + index * slice_size + start_offset(page.block_size);
  const std::uint64_t room = whole - start_offset(page.block_size);
  if (page.block_size < sizeof(Address) || page.block_size % sizeof(Address) != 0 ||
      page.capacity > reserved || page.capacity * page.block_size > room ||
      page.used > page.capacity) {
    return damaged(address,
                   fmt::format("the page of the allocator at {:#x} says that {} of {} blocks of {} "
                               "bytes are in use, in {} bytes",
                               address, page.used, page.capacity, page.block_size, room));
  }
  return page;
}

Blocks allocated_blocks(const image::AddressSpace& memory, const Page& page) {
  Blocks blocks;
  blocks.count = page.capacity;
  blocks.words.assign((page.capacity + Blocks::word_bits - 1) / Blocks::word_bits,
                      ~std::uint64_t{0});
  if (const unsigned rest = page.capacity % Blocks::word_bits; rest != 0) {
    blocks.words.back() = (std::uint64_t{1} << rest) - 1;
  }
  FreeLists lists(memory, page, blocks);
  std::uint8_t list = 1;
  for (const Address head : page.free) {
    if (!lists.take(head, list++)) {
      break;
    }
  }
  return blocks;
}

Result<std::unordered_set<Address>> delayed_blocks(const image::AddressSpace& memory,
                                                   const FreeThreadedLayout& layout, Address heap) {
  Fields fields(memory, heap);
  const auto head = fields.get<Address>(layout.heap_delayed_free);
  Keys keys;
  if (layout.page_keys) {
    keys = fields.get<std::array<std::uint64_t, 2>>(layout.heap_keys);
  }
  if (fields.error()) {
    return std::unexpected(*fields.error());
  }
  std::unordered_set<Address> found;
  for (Address block = head; block != 0;) {
    if (!is_plausible(block, sizeof(Address)) || found.size() >= delayed_limit ||
        !found.insert(block).second) {
      return damaged(heap, fmt::format("the list of freed blocks of the heap at {:#x} leads to "
                                       "{:#x}, and not to its end",
                                       heap, block));
    }
    const auto next = memory.load<Address>(block);
    if (!next) {
      return std::unexpected(next.error());
    }
    block = decode(*next, keys, heap);
  }
  return found;
}

Segments abandoned_segments(const image::AddressSpace& memory, const FreeThreadedLayout& layout,
                            Address pool) {
  Segments segments;
  std::unordered_set<Address> seen;
  for (const std::uint32_t list : {layout.pool_abandoned, layout.pool_visited}) {
    // The first list's head has a tag where a segment's address has none.
    auto next = memory.load<Address>(pool + list);
    while (next && (*next & ~(segment_size - 1)) != 0) {
      const Address segment = *next & ~(segment_size - 1);
      if (!is_plausible(segment) || segments.found.size() >= segment_limit ||
          !seen.insert(segment).second) {
        segments.problem = fmt::format(
            "the list of abandoned segments leads to {:#x}, and not to its end", segment);
        return segments;
      }
      segments.found.push_back(segment);
      next = memory.load<Address>(segment + layout.segment_abandoned_next);
    }
    if (!next) {
      segments.problem =
          fmt::format("the list of abandoned segments cannot be read: {}", next.error().reason);
      segments.memory_missing = is_not_saved(next);
      return segments;
    }
  }
  return segments;
}

Result<std::vector<Address>> pages_of(const image::AddressSpace& memory,
                                      const FreeThreadedLayout& layout, Address segment) {
  const auto extent = read_extent(memory, layout, segment);
  if (!extent) {
    return std::unexpected(extent.error());
  }
  std::vector<Address> pages;
  const Address slices = segment + layout.segment_slices;
  // The first slices hold what describes the others.
  for (std::uint64_t index = 0; index < extent->entries;) {
    const Address slice = slices + index * layout.page_size;
    Fields fields(memory, slice);
    const auto count = fields.get<std::uint32_t>(layout.page_slice_count);
    const auto size = fields.get<std::uint32_t>(layout.page_block_size);
    if (fields.error()) {
      return std::unexpected(*fields.error());
    }
    if (count == 0 || count > extent->slices - index) {
      return damaged(segment,
                     fmt::format("the slices of the segment at {:#x} do not add up", segment));
    }
    if (size > 1 && index > 0) {
      pages.push_back(slice);
    }
    index += count;
  }
  return pages;
}

} // namespace pygc::cpython::mimalloc
