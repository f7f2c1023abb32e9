#include "common/cpython/collector/free_threaded.h"

#include "common/cpython/collector/free_threaded_walk.h"
#include "common/cpython/collector/mimalloc.h"
#include "common/cpython/gc_bits.h"
#include "common/cpython/type_proof.h"

#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t proof_objects = 16; // tracked ones that are looked at in each heap

/// Whether the objects of a page that say they are tracked have types, when they lie so many bytes
/// behind the begin of their blocks. Single ones may be damaged, or just being made.
bool has_types(const image::AddressSpace& memory, const Layout& layout, const mimalloc::Page& page,
               std::uint64_t before) {
  if (page.block_size < before + layout.ob_size) {
    return false;
  }
  const auto blocks = mimalloc::allocated_blocks(memory, page);
  std::size_t looked_at = 0;
  std::size_t wrong = 0;
  for (unsigned i = 0; i < blocks.count && looked_at < proof_objects; ++i) {
    const Address object = page.start + i * page.block_size + before;
    const auto bits = memory.load<std::uint8_t>(object + layout.free_threaded->ob_gc_bits);
    const auto type = memory.load<Address>(object + layout.ob_type);
    if (!blocks.is_allocated(i) || !bits || !type || (*bits & gc_bits::tracked) == 0) {
      continue;
    }
    ++looked_at;
    const auto proof = prove_type(memory, layout, *type);
    wrong += !proof && !is_not_saved(proof) ? 1U : 0U;
  }
  return wrong * 2 <= looked_at;
}

/// update_refs() adds an object's count to ob_tid and traverses it, block by block.
class HeapStepping final : public Stepping {
public:
  Address gc_refs_word(const Layout& layout, Address object) const override {
    return object + layout.free_threaded->ob_tid;
  }
  std::uint64_t least_with_reference() const override { return 1; }
  bool has_links() const override { return false; }
  Address link_behind(const Layout& /*layout*/, Address /*object*/) const override { return 0; }
  Address link_to_first(const Layout& /*layout*/, Address /*head*/) const override { return 0; }
  bool is_cursor(const Layout& /*layout*/, std::uint64_t value, Address object) const override {
    return value == object;
  }
};

class FreeThreaded final : public Collector {
public:
  Result<void> read(const image::AddressSpace& memory, const Layout& layout,
                    Interpreter& interpreter) const override {
    const FreeThreadedLayout& fields = *layout.free_threaded;
    if (!layout.gc_generations) {
      return fail(ErrorKind::corrupt, interpreter.gc_state, "the layout has no thresholds");
    }
    const Address first = interpreter.gc_state + *layout.gc_generations;
    const auto enabled = memory.load<std::int32_t>(interpreter.gc_state + layout.gc_enabled);
    const auto collecting = memory.load<std::int32_t>(interpreter.gc_state + layout.gc_collecting);
    const auto threshold = memory.load<std::int32_t>(first + layout.generation_threshold);
    const auto count = memory.load<std::int32_t>(first + layout.generation_count);
    const auto long_lived =
        memory.load<std::int64_t>(interpreter.gc_state + fields.gc_long_lived_total);
    for (const auto* word : {&enabled, &collecting, &threshold, &count}) {
      if (!*word) {
        return std::unexpected(word->error());
      }
    }
    if (!long_lived) {
      return std::unexpected(long_lived.error());
    }
    interpreter.enabled = *enabled != 0;
    interpreter.collecting = *collecting != 0;
    interpreter.counts =
        CollectionCounts{.count = *count, .threshold = *threshold, .long_lived = *long_lived};
    const auto threads = thread_states(memory, layout, interpreter);
    if (!threads) {
      return std::unexpected(threads.error());
    }
    for (const Address thread : *threads) {
      const auto id = memory.load<std::uint64_t>(thread + fields.thread_native_id);
      const auto allocated = memory.load<std::int64_t>(thread + fields.thread_alloc_count);
      if (!id || !allocated) {
        return std::unexpected(id ? allocated.error() : id.error());
      }
      interpreter.spaces.push_back({.kind = SpaceKind::collected,
                                    .name = fmt::format("thread {}", *id),
                                    .head = thread,
                                    .count = *allocated});
    }
    interpreter.spaces.push_back({.kind = SpaceKind::collected,
                                  .name = "abandoned",
                                  .head = interpreter.address + fields.interp_abandoned_pool});
    interpreter.spaces.push_back({.kind = SpaceKind::permanent,
                                  .name = "permanent",
                                  .head = interpreter.gc_state + layout.gc_permanent});
    return {};
  }

  /// Each heap of a thread has its tag, its first page belongs to it, and the first objects' types
  /// look like types.
  Result<void> prove(const image::AddressSpace& memory, const Layout& layout,
                     const Interpreter& interpreter) const override {
    for (const Space& space : interpreter.spaces) {
      if (space.kind == SpaceKind::collected && space.name != "abandoned") {
        if (auto proof = prove_thread(memory, layout, space.head); !proof) {
          return proof;
        }
      }
    }
    return {};
  }

  std::size_t find_running_spaces(const image::AddressSpace& /*memory*/,
                                  const std::vector<target::Thread>& /*threads*/,
                                  Runtime& /*objects stay where they are*/) const override {
    return 0;
  }

  /// There are no generations: each collection takes all.
  std::vector<std::size_t> taken(const Interpreter& interpreter,
                                 std::size_t /*oldest*/) const override {
    std::vector<std::size_t> spaces;
    for (std::size_t i = 0; i < interpreter.spaces.size(); ++i) {
      if (interpreter.spaces[i].kind == SpaceKind::collected) {
        spaces.push_back(i);
      }
    }
    return spaces;
  }

  bool has_lists() const override { return false; }

  std::unique_ptr<HeapSource> source(const image::AddressSpace& memory,
                                     const Runtime& runtime) const override {
    return walk_allocator(memory, runtime);
  }

  Result<bool> is_tracked(const image::AddressSpace& memory, const Layout& layout,
                          Address object) const override {
    const auto bits = memory.load<std::uint8_t>(object + layout.free_threaded->ob_gc_bits);
    return bits ? Result<bool>((*bits & gc_bits::tracked) != 0) : std::unexpected(bits.error());
  }

  const Stepping* stepping() const override { return &stepping_; }

private:
  HeapStepping stepping_;

  static Result<void> prove_thread(const image::AddressSpace& memory, const Layout& layout,
                                   Address thread) {
    const auto ready = has_heaps(memory, layout, thread);
    if (!ready) {
      return std::unexpected(ready.error());
    }
    for (const unsigned tag : {mimalloc::gc_heap, mimalloc::gc_pre_heap}) {
      if (auto proof =
              *ready ? prove_heap(memory, layout, heap_of(*layout.free_threaded, thread, tag), tag)
                     : Result<void>();
          !proof) {
        return proof;
      }
    }
    return {};
  }

  static Result<void> prove_heap(const image::AddressSpace& memory, const Layout& layout,
                                 Address heap, unsigned tag) {
    const FreeThreadedLayout& fields = *layout.free_threaded;
    const auto its_tag = memory.load<std::uint8_t>(heap + fields.heap_tag);
    if (!its_tag) {
      return std::unexpected(its_tag.error());
    }
    if (*its_tag != tag) {
      return fail(ErrorKind::corrupt, heap,
                  fmt::format("there is no heap of objects at {:#x}", heap));
    }
    for (unsigned queue = 0; queue < mimalloc::queues; ++queue) {
      const auto first = memory.load<Address>(
          heap + fields.heap_pages + Address{queue} * fields.queue_size + fields.queue_first);
      if (!first) {
        return std::unexpected(first.error());
      }
      if (*first == 0) {
        continue;
      }
      const auto page = mimalloc::read_page(memory, fields, *first);
      if (!page && is_not_saved(page)) {
        return {};
      }
      if (!page) {
        return std::unexpected(page.error());
      }
      if (page->tag != tag || page->heap != heap) {
        return fail(
            ErrorKind::corrupt, *first,
            fmt::format("the page at {:#x} does not belong to the heap at {:#x}", *first, heap));
      }
      const std::uint64_t before = tag == mimalloc::gc_pre_heap ? pre_header : 0;
      if (!has_types(memory, layout, *page, before) &&
          !has_types(memory, layout, *page, before + debug_words)) {
        return fail(ErrorKind::corrupt, *first,
                    fmt::format("the page at {:#x} holds no objects", *first));
      }
    }
    return {};
  }
};

} // namespace

const Collector& free_threaded_collector() {
  static const FreeThreaded collector;
  return collector;
}

} // namespace pygc::cpython
