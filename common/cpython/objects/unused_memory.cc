#include "common/cpython/objects/unused_memory.h"

#include "common/cpython/collector/mimalloc.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <array>

namespace pygc::cpython {
namespace {

constexpr std::size_t max_arenas = 112;  // MI_MAX_ARENAS
constexpr std::size_t arena_words = 32;  // of mi_arena_t, before its bitmap
constexpr std::uint64_t field_bits = 64; // of a bitmap's word
constexpr std::uint64_t max_blocks = 1 << 20;
constexpr std::uint64_t slices_per_block = mimalloc::segment_size / mimalloc::slice_size;

struct Arena {
  Address start = 0;
  std::uint64_t blocks = 0;
  Address in_use = 0; // bitmap
};

/// start, block_count and field_count follow each other; the bitmaps that three pointers lead to
/// lie behind the one that comes right after the pointers, which tells that one. Where they do not,
/// nothing is known of the arena.
std::optional<Arena> read_arena(const image::AddressSpace& memory, Address at) {
  const auto words = memory.load<std::array<std::uint64_t, arena_words>>(at);
  if (!words) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i + 2 < words->size(); ++i) {
    const Arena arena{.start = (*words)[i], .blocks = (*words)[i + 1]};
    const std::uint64_t fields = (*words)[i + 2];
    if (!is_plausible(arena.start) || arena.start % mimalloc::segment_size != 0 ||
        arena.blocks == 0 || arena.blocks > max_blocks ||
        fields != (arena.blocks + field_bits - 1) / field_bits) {
      continue;
    }
    const std::uint64_t size = fields * sizeof(std::uint64_t);
    for (std::size_t pointer = i + 3; pointer + 3 <= words->size(); ++pointer) {
      const Address bitmap = at + (pointer + 3) * sizeof(Address);
      if ((*words)[pointer] == bitmap + size && (*words)[pointer + 1] == bitmap + 2 * size &&
          (*words)[pointer + 2] == bitmap + 3 * size) {
        return Arena{.start = arena.start, .blocks = arena.blocks, .in_use = bitmap};
      }
    }
  }
  return std::nullopt;
}

class Search {
public:
  Search(const image::AddressSpace& memory, const FreeThreadedLayout& layout)
      : memory_(memory), layout_(layout) {}

  void look_at(const Arena& arena) {
    for (std::uint64_t block = 0; block < arena.blocks;) {
      const Address start = arena.start + block * mimalloc::segment_size;
      const auto field =
          memory_.load<std::uint64_t>(arena.in_use + block / field_bits * sizeof(std::uint64_t));
      if (!field) {
        return;
      }
      if ((*field >> block % field_bits & 1) == 0) {
        add(start, start + mimalloc::segment_size);
        ++block;
      } else {
        block += look_at_segment(start);
      }
    }
  }

  std::vector<image::Range> take() {
    std::ranges::sort(unused_, {}, &image::Range::start);
    return std::move(unused_);
  }

private:
  /// Returns how many blocks it takes.
  std::uint64_t look_at_segment(Address segment) {
    const auto pages = mimalloc::pages_of(memory_, layout_, segment);
    const auto slices = memory_.load<std::uint64_t>(segment + layout_.segment_slice_count);
    if (!pages || !slices) {
      return 1;
    }
    if (*slices > slices_per_block) { // one large object
      return (*slices + slices_per_block - 1) / slices_per_block;
    }
    const Address first = segment + layout_.segment_slices;
    std::vector<image::Range> used;
    for (const Address slice : *pages) {
      const auto index = (slice - first) / layout_.page_size;
      const auto count = memory_.load<std::uint32_t>(slice + layout_.page_slice_count);
      const Address start = segment + index * mimalloc::slice_size;
      used.push_back({.start = start, .end = start + count.value_or(0) * mimalloc::slice_size});
    }
    const auto head = memory_.load<std::uint32_t>(first + layout_.page_slice_count);
    const Address behind_head = segment + head.value_or(0) * mimalloc::slice_size;
    for (const image::Range& range :
         without({.start = behind_head, .end = segment + *slices * mimalloc::slice_size}, used)) {
      add(range.start, range.end);
    }
    return 1;
  }

  void add(Address start, Address end) {
    if (!unused_.empty() && unused_.back().end == start) {
      unused_.back().end = end;
    } else {
      unused_.push_back({.start = start, .end = end});
    }
  }

  const image::AddressSpace& memory_;
  const FreeThreadedLayout& layout_;
  std::vector<image::Range> unused_;
};

} // namespace

std::vector<image::Range> unused_memory(const image::AddressSpace& memory, const Runtime& runtime) {
  if (!runtime.layout.free_threaded) {
    return {};
  }
  const auto arenas = runtime.module->find_symbol("mi_arenas");
  if (!arenas) {
    return {};
  }
  Search search(memory, *runtime.layout.free_threaded);
  for (std::size_t i = 0; i < max_arenas; ++i) {
    const auto at = memory.load<Address>(arenas->address + i * sizeof(Address));
    if (!at || *at == 0) {
      break;
    }
    if (const auto arena = read_arena(memory, *at)) {
      search.look_at(*arena);
    }
  }
  return search.take();
}

std::vector<image::Range> without(image::Range whole, std::span<const image::Range> ranges) {
  std::vector<image::Range> rest;
  Address at = whole.start;
  const auto first = std::ranges::partition_point(
      ranges, [&](const image::Range& range) { return range.end <= whole.start; });
  for (auto range = first; range != ranges.end() && range->start < whole.end; ++range) {
    if (range->start > at) {
      rest.push_back({.start = at, .end = range->start});
    }
    at = std::max(at, range->end);
  }
  if (at < whole.end) {
    rest.push_back({.start = at, .end = whole.end});
  }
  return rest;
}

} // namespace pygc::cpython
