#include "common/cpython/collector/allocator_pages.h"

#include "common/cpython/collector/free_threaded_walk.h"
#include "common/cpython/type_proof.h"

#include <fmt/format.h>
#include <unordered_set>

namespace pygc::cpython {
namespace {

class PageWalk {
public:
  PageWalk(const image::AddressSpace& memory, const Runtime& runtime,
           const Interpreter& interpreter, const Space& space, PageSink& sink)
      : memory_(memory), runtime_(runtime), layout_(*runtime.layout.free_threaded),
        interpreter_(interpreter), space_(space), sink_(sink) {}

  Result<void> run() {
    const auto debug =
        memory_.load<std::int32_t>(runtime_.address + layout_.runtime_debug_allocator);
    if (!debug) {
      fault(fmt::format("whether the debug allocator is in use cannot be read: {}",
                        debug.error().reason),
            is_not_saved(debug));
      return {};
    }
    base_ = *debug != 0 ? debug_words : 0;
    const Address pool = interpreter_.address + layout_.interp_abandoned_pool;
    if (space_.kind != SpaceKind::permanent) {
      return space_.head == pool ? walk_abandoned(pool) : walk_thread(space_.head);
    }
    // gc.freeze() leaves objects where they are.
    const auto threads = thread_states(memory_, runtime_.layout, interpreter_);
    if (!threads) {
      fault(threads.error());
      return {};
    }
    for (const Address thread : *threads) {
      if (auto walked = walk_thread(thread); !walked) {
        return walked;
      }
    }
    return walk_abandoned(pool);
  }

private:
  void fault(const Error& error) {
    sink_.fault(error.reason, error.kind == ErrorKind::memory_not_saved);
  }
  void fault(std::string message, bool missing) { sink_.fault(std::move(message), missing); }

  Result<void> walk_thread(Address thread) {
    const auto ready = has_heaps(memory_, runtime_.layout, thread);
    if (!ready) {
      fault(ready.error());
      return {};
    }
    if (!*ready) {
      return {};
    }
    for (const unsigned tag : {mimalloc::gc_heap, mimalloc::gc_pre_heap}) {
      if (auto walked = walk_heap(heap_of(layout_, thread, tag), tag); !walked) {
        return walked;
      }
    }
    return {};
  }

  Result<void> walk_heap(Address heap, unsigned tag) {
    const auto promised = memory_.load<std::uint64_t>(heap + layout_.heap_page_count);
    if (!promised) {
      fault(promised.error());
      return {};
    }
    if (auto delayed = mimalloc::delayed_blocks(memory_, layout_, heap)) {
      delayed_ = std::move(*delayed);
    } else {
      delayed_.clear();
      fault(delayed.error());
    }
    std::unordered_set<Address> seen;
    for (unsigned queue = 0; queue < mimalloc::queues; ++queue) {
      const Address first = heap + layout_.heap_pages + Address{queue} * layout_.queue_size;
      auto next = memory_.load<Address>(first + layout_.queue_first);
      if (!next) {
        fault(next.error());
        return {};
      }
      for (Address at = *next; at != 0;) {
        const auto page = mimalloc::read_page(memory_, layout_, at);
        if (!page) {
          fault(page.error());
          break;
        }
        if (!seen.insert(at).second) {
          fault(fmt::format("the pages of the heap at {:#x} are cyclic: they come back to {:#x}",
                            heap, at),
                false);
          break;
        }
        if (page->tag != tag || page->heap != heap) {
          fault(fmt::format("the heap at {:#x} leads to the page at {:#x} of another heap, {:#x}",
                            heap, at, page->heap),
                false);
          break;
        }
        if (auto walked = walk_page(*page, tag); !walked) {
          return walked;
        }
        at = page->next;
      }
    }
    if (seen.size() != *promised) {
      sink_.tell_motion(
          fmt::format("{} pages of the heap at {:#x} were found, and it has {}: its thread "
                      "was just moving one, or it is damaged",
                      seen.size(), heap, *promised));
    }
    return {};
  }

  Result<void> walk_abandoned(Address pool) {
    delayed_.clear();
    const auto readers = memory_.load<std::uint64_t>(pool + layout_.pool_readers);
    if (readers && *readers != 0) {
      sink_.tell_motion("a thread was just taking over what an ended one has left");
    }
    const mimalloc::Segments segments = mimalloc::abandoned_segments(memory_, layout_, pool);
    if (!segments.problem.empty()) {
      fault(segments.problem, segments.memory_missing);
    }
    for (const unsigned tag : {mimalloc::gc_heap, mimalloc::gc_pre_heap}) {
      for (const Address segment : segments.found) {
        if (auto walked = walk_segment(segment, tag); !walked) {
          return walked;
        }
      }
    }
    return {};
  }

  Result<void> walk_segment(Address segment, unsigned tag) {
    const auto pages = mimalloc::pages_of(memory_, layout_, segment);
    if (!pages) {
      if (tag == mimalloc::gc_heap) {
        fault(pages.error());
      }
      return {};
    }
    for (const Address at : *pages) {
      const auto page = mimalloc::read_page(memory_, layout_, at);
      if (!page) {
        if (tag == mimalloc::gc_heap) {
          fault(page.error());
        }
        continue;
      }
      if (page->tag != tag) {
        continue;
      }
      if (auto walked = walk_page(*page, tag); !walked) {
        return walked;
      }
    }
    return {};
  }

  Result<void> walk_page(const mimalloc::Page& page, unsigned tag) {
    if (page.used == 0) {
      return {};
    }
    mimalloc::Blocks blocks = mimalloc::allocated_blocks(memory_, page);
    if (!blocks.problem.empty()) {
      fault(blocks.problem, blocks.memory_missing);
    }
    const std::uint64_t before = base_ + (tag == mimalloc::gc_pre_heap ? pre_header : 0);
    if (page.block_size < before + runtime_.layout.ob_size) {
      fault(fmt::format("the page at {:#x} has blocks of {} bytes, which hold no object",
                        page.address, page.block_size),
            false);
      return {};
    }
    for (unsigned i = 0; !delayed_.empty() && i < blocks.count; ++i) {
      if (delayed_.contains(page.start + i * page.block_size)) {
        blocks.take_out(i);
      }
    }
    return sink_.take(page, blocks, before);
  }

  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  const FreeThreadedLayout& layout_;
  const Interpreter& interpreter_;
  const Space& space_;
  PageSink& sink_;
  std::uint64_t base_ = 0;              // from a block to its object, but for the pre-header
  std::unordered_set<Address> delayed_; // freed blocks of the heap that is walked
};

} // namespace

Result<void> walk_pages(const image::AddressSpace& memory, const Runtime& runtime,
                        const Interpreter& interpreter, const Space& space, PageSink& sink) {
  return PageWalk(memory, runtime, interpreter, space, sink).run();
}

} // namespace pygc::cpython
