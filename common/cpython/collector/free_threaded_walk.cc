#include "common/cpython/collector/free_threaded_walk.h"

#include "common/cpython/collector/merge_queues.h"
#include "common/cpython/collector/mimalloc.h"
#include "common/cpython/gc_bits.h"
#include "common/cpython/refcount.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr std::size_t thread_limit = std::size_t{1} << 20U;

/// Memory that the debug allocator has filled: of a block that is not yet an object, or no longer.
bool is_filled(std::uint64_t word) {
  return word == 0xcdcdcdcdcdcdcdcdU || word == 0xddddddddddddddddU;
}

/// The walk of one space.
class Walk {
public:
  Walk(const image::AddressSpace& memory, const Runtime& runtime, const MergeQueues& queues,
       const Interpreter& interpreter, const Space& space, HeapSink& sink)
      : memory_(memory), runtime_(runtime), layout_(*runtime.layout.free_threaded), queues_(queues),
        interpreter_(interpreter), space_(space), frozen_(space.kind == SpaceKind::permanent),
        sink_(sink) {}

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
    const auto stopped =
        memory_.load<std::uint8_t>(interpreter_.address + layout_.interp_world_stopped);
    judges_counts_ = !interpreter_.collecting && stopped && *stopped == 0;
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
  void fault(std::string message, bool missing) {
    // The permanent space goes through what the others have told of already.
    if (!frozen_) {
      sink_.add_fault({.message = std::move(message), .memory_missing = missing});
    }
  }
  void fault(const Error& error) { fault(error.reason, error.kind == ErrorKind::memory_not_saved); }
  void tell_motion(std::string message) {
    if (!frozen_) {
      sink_.add_fault({.message = std::move(message), .in_motion = true});
    }
  }

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
      tell_motion(fmt::format("{} pages of the heap at {:#x} were found, and it has {}: its thread "
                              "was just moving one, or it is damaged",
                              seen.size(), heap, *promised));
    }
    return {};
  }

  Result<void> walk_abandoned(Address pool) {
    delayed_.clear();
    const auto readers = memory_.load<std::uint64_t>(pool + layout_.pool_readers);
    if (readers && *readers != 0) {
      tell_motion("a thread was just taking over what an ended one has left");
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
    const mimalloc::Blocks blocks = mimalloc::allocated_blocks(memory_, page);
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
    for (std::size_t i = 0; i < blocks.allocated.size(); ++i) {
      const Address block = page.start + i * page.block_size;
      if (!blocks.allocated[i] || delayed_.contains(block)) {
        continue;
      }
      add(block + before);
      if (auto proceed = sink_.proceed(); !proceed) {
        return proceed;
      }
    }
    return {};
  }

  void add(Address object) {
    const auto bits = memory_.load<std::uint8_t>(object + layout_.ob_gc_bits);
    if (bits && ((*bits & gc_bits::tracked) == 0 || ((*bits & gc_bits::frozen) != 0) != frozen_)) {
      return;
    }
    const auto count = bits ? load_biased_count(memory_, layout_, object)
                            : Result<BiasedCount>(std::unexpected(bits.error()));
    if (!count) {
      if (!frozen_) {
        sink_.add({.object = object, .state = {}, .unreadable = &count.error()});
      }
      return;
    }
    const auto type = memory_.load<std::uint64_t>(object + runtime_.layout.ob_type);
    if (type && is_filled(*type)) {
      return; // its thread has only just got the memory, or is about to give it back
    }
    const bool queued = queues_.known ? !queues_.objects.empty() && queues_.objects.contains(object)
                                      : count->is_queued();
    const Verdict verdict = sink_.add(
        {.object = object,
         .refcount = count->is_immortal() ? immortal_refcount
                                          : static_cast<std::uint64_t>(count->references(queued)),
         .state = GcState(0, false, (*bits & gc_bits::finalized) != 0),
         .in_motion = count->is_being_merged(),
         .may_be_dead = queued || count->is_deferred() || interpreter_.collecting});
    if (judges_counts_ && verdict == Verdict::usable) {
      judge(object, *count, queued);
    }
  }

  void judge(Address object, const BiasedCount& count, bool queued) {
    if (const CountFault fault = fault_of(count); fault != CountFault::none) {
      sink_.add_fault(
          {.kind = FaultKind::count,
           .object = object,
           .message = fmt::format("the object at {:#x} {}", object, describe(fault, count))});
      return;
    }
    if (!queues_.known || queued || !count.is_queued()) {
      return;
    }
    const std::string owner = queues_.owners.contains(count.tid)
                                  ? fmt::format("the thread at {:#x}", count.tid)
                                  : fmt::format("a thread, at {:#x}, that has ended", count.tid);
    sink_.add_fault({.kind = FaultKind::unmerged,
                     .object = object,
                     .message = fmt::format("the object at {:#x} waits for its owner, {}, to merge "
                                            "its counts, but is on no thread's queue",
                                            object, owner)});
  }

  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  const FreeThreadedLayout& layout_;
  const MergeQueues& queues_;
  const Interpreter& interpreter_;
  const Space& space_;
  bool judges_counts_ = false; // while threads are stopped by the interpreter they may be anything
  bool frozen_;                // the space of frozen objects, which lie among the others
  HeapSink& sink_;
  std::uint64_t base_ = 0;              // from a block to its object
  std::unordered_set<Address> delayed_; // freed blocks of the heap that is walked
};

class AllocatorWalk final : public HeapSource {
public:
  AllocatorWalk(const image::AddressSpace& memory, const Runtime& runtime)
      : memory_(memory), runtime_(runtime), queues_(read_merge_queues(memory, runtime)) {}

  Result<void> walk(const Interpreter& interpreter, const Space& space,
                    HeapSink& sink) const override {
    if (!queues_.problem.empty() && &space == &interpreter.spaces.front()) {
      sink.add_fault({.message = queues_.problem, .memory_missing = queues_.memory_missing});
    }
    return Walk(memory_, runtime_, queues_, interpreter, space, sink).run();
  }

private:
  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  MergeQueues queues_;
};

} // namespace

std::unique_ptr<HeapSource> walk_allocator(const image::AddressSpace& memory,
                                           const Runtime& runtime) {
  return std::make_unique<AllocatorWalk>(memory, runtime);
}

Result<std::vector<Address>> thread_states(const image::AddressSpace& memory, const Layout& layout,
                                           const Interpreter& interpreter) {
  if (!layout.interp_threads || !layout.thread_next) {
    return fail(ErrorKind::corrupt, interpreter.address, "the layout has no list of threads");
  }
  std::vector<Address> threads;
  std::unordered_set<Address> seen;
  auto next = memory.load<Address>(interpreter.address + *layout.interp_threads);
  while (next && *next != 0) {
    if (!is_plausible(*next) || threads.size() >= thread_limit || !seen.insert(*next).second) {
      return fail(ErrorKind::corrupt, *next,
                  fmt::format("the list of threads leads to {:#x}, and not to its end", *next));
    }
    threads.push_back(*next);
    next = memory.load<Address>(*next + *layout.thread_next);
  }
  if (!next) {
    return std::unexpected(next.error());
  }
  return threads;
}

Result<bool> has_heaps(const image::AddressSpace& memory, const Layout& layout, Address thread) {
  const auto ready = memory.load<std::int32_t>(thread + layout.free_threaded->thread_heaps_ready);
  return ready ? Result<bool>(*ready != 0) : std::unexpected(ready.error());
}

Address heap_of(const FreeThreadedLayout& layout, Address thread, unsigned heap) {
  return thread + layout.thread_heaps + Address{heap} * layout.heap_size;
}

} // namespace pygc::cpython
