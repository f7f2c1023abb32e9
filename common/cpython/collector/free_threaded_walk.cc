#include "common/cpython/collector/free_threaded_walk.h"

#include "common/cpython/collector/allocator_pages.h"
#include "common/cpython/collector/merge_queues.h"
#include "common/cpython/gc_bits.h"
#include "common/cpython/refcount.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <unordered_set>
#include <vector>

namespace pygc::cpython {
namespace {

/// Memory that the debug allocator has filled: of a block that is not yet an object, or no longer.
bool is_filled(std::uint64_t word) {
  return word == 0xcdcdcdcdcdcdcdcdU || word == 0xddddddddddddddddU;
}

/// What of an object its space depends on, and what is told of it.
struct Header {
  BiasedCount count;
  Address type = 0;
};

/// The walk of one space.
class Walk final : private PageSink {
public:
  Walk(const image::AddressSpace& memory, const Runtime& runtime, const MergeQueues& queues,
       const Interpreter& interpreter, const Space& space, HeapSink& sink)
      : memory_(memory), runtime_(runtime), layout_(*runtime.layout.free_threaded), queues_(queues),
        interpreter_(interpreter), space_(space), frozen_(space.kind == SpaceKind::permanent),
        header_size_(std::max({layout_.ob_tid + sizeof(std::uint64_t),
                               layout_.ob_gc_bits + sizeof(std::uint8_t),
                               layout_.ob_ref_local + sizeof(std::uint32_t),
                               layout_.ob_ref_shared + sizeof(std::int64_t),
                               runtime.layout.ob_type + sizeof(Address)})),
        sink_(sink) {}

  Result<void> run() {
    const auto stopped =
        memory_.load<std::uint8_t>(interpreter_.address + layout_.interp_world_stopped);
    judges_counts_ = !interpreter_.collecting && stopped && *stopped == 0;
    return walk_pages(memory_, runtime_, interpreter_, space_, *this);
  }

  /// Whether an object was frozen, of this space or not.
  bool met_frozen() const { return met_frozen_; }

private:
  void fault(std::string message, bool missing) override {
    // The permanent space goes through what the others have told of already.
    if (!frozen_) {
      sink_.add_fault({.message = std::move(message), .memory_missing = missing});
    }
  }
  void tell_motion(std::string message) override {
    if (!frozen_) {
      sink_.add_fault({.message = std::move(message), .in_motion = true});
    }
  }

  Result<void> take(const mimalloc::Page& page, const mimalloc::Blocks& blocks,
                    std::uint64_t before) override {
    const std::byte* bytes = memory_.host(page.start, page.capacity * page.block_size);
    for (unsigned i = 0; i < blocks.count; ++i) {
      if (!blocks.is_allocated(i)) {
        continue;
      }
      const std::uint64_t skip = i * page.block_size + before;
      if (bytes != nullptr && before + header_size_ <= page.block_size) {
        add(page.start + skip, bytes + skip);
      } else {
        add(page.start + skip, memory_.host(page.start + skip, header_size_));
      }
      if (auto proceed = sink_.proceed(); !proceed) {
        return proceed;
      }
    }
    return {};
  }

  /// `bytes`: where it lies for us; null: not in one piece.
  void add(Address object, const std::byte* bytes) {
    if (bytes == nullptr) {
      add_piecewise(object);
      return;
    }
    Header header;
    const auto get = [bytes](auto& field, std::uint32_t offset) {
      std::memcpy(&field, bytes + offset, sizeof field);
    };
    get(header.count.gc_bits, layout_.ob_gc_bits);
    if (!is_in_space(header.count.gc_bits)) {
      return;
    }
    get(header.count.tid, layout_.ob_tid);
    get(header.count.local, layout_.ob_ref_local);
    get(header.count.shared, layout_.ob_ref_shared);
    get(header.type, static_cast<std::uint32_t>(runtime_.layout.ob_type));
    add(object, header);
  }

  /// Of an object that lies on both sides of an edge, or not in the core.
  void add_piecewise(Address object) {
    const auto bits = memory_.load<std::uint8_t>(object + layout_.ob_gc_bits);
    if (bits && !is_in_space(*bits)) {
      return;
    }
    const auto count = bits ? load_biased_count(memory_, layout_, object)
                            : Result<BiasedCount>(std::unexpected(bits.error()));
    const auto type = memory_.load<Address>(object + runtime_.layout.ob_type);
    if (count) {
      add(object, {.count = *count, .type = type.value_or(0)});
    } else if (!frozen_) {
      sink_.add({.object = object, .state = {}, .unreadable = &count.error()});
    }
  }

  bool is_in_space(std::uint8_t bits) {
    if ((bits & gc_bits::tracked) == 0) {
      return false;
    }
    const bool is_frozen = (bits & gc_bits::frozen) != 0;
    met_frozen_ = met_frozen_ || is_frozen;
    return is_frozen == frozen_;
  }

  void add(Address object, const Header& header) {
    if (is_filled(header.type)) {
      return; // its thread has only just got the memory, or is about to give it back
    }
    const BiasedCount& count = header.count;
    const bool queued = queues_.known ? !queues_.objects.empty() && queues_.objects.contains(object)
                                      : count.is_queued();
    const Verdict verdict = sink_.add(
        {.object = object,
         .refcount = count.is_immortal() ? immortal_refcount
                                         : static_cast<std::uint64_t>(count.references(queued)),
         .state = GcState(0, false, (count.gc_bits & gc_bits::finalized) != 0),
         .in_motion = count.is_being_merged(),
         .may_be_dead = queued || count.is_deferred() || interpreter_.collecting});
    if (judges_counts_ && verdict == Verdict::usable && !is_plain(count)) {
      judge(object, count, queued);
    }
  }

  /// What most objects have: an owner, no flags, no deferred references.
  static bool is_plain(const BiasedCount& count) {
    return count.tid != 0 && count.tid % alignof(void*) == 0 && count.shared == 0 &&
           (count.gc_bits & (gc_bits::deferred | gc_bits::unreachable)) == 0;
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
  bool met_frozen_ = false;
  std::size_t header_size_;
  HeapSink& sink_;
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
    if (space.kind == SpaceKind::permanent && has_none_frozen(interpreter)) {
      return {};
    }
    Walk walk(memory_, runtime_, queues_, interpreter, space, sink);
    auto walked = walk.run();
    if (walked && space.kind == SpaceKind::collected) {
      walked_.insert(space.head);
      met_frozen_ = met_frozen_ || walk.met_frozen();
    }
    return walked;
  }

private:
  /// Whoever has walked all the others knows: frozen objects lie among theirs.
  bool has_none_frozen(const Interpreter& interpreter) const {
    return !met_frozen_ && std::ranges::all_of(interpreter.spaces, [&](const Space& space) {
      return space.kind != SpaceKind::collected || walked_.contains(space.head);
    });
  }

  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  MergeQueues queues_;
  mutable std::unordered_set<Address> walked_; // heads of spaces
  mutable bool met_frozen_ = false;            // there
};

} // namespace

std::unique_ptr<HeapSource> walk_allocator(const image::AddressSpace& memory,
                                           const Runtime& runtime) {
  return std::make_unique<AllocatorWalk>(memory, runtime);
}

} // namespace pygc::cpython
