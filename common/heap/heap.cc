#include "common/heap/heap.h"

#include "common/base/huge_pages.h"
#include "common/cpython/collector/collector.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace pygc::heap {
namespace {

// Arrays are indexed by 32 bits elsewhere.
constexpr std::size_t object_limit = std::size_t{1} << 31;
constexpr std::size_t cancel_interval = 1 << 14;
// Objects that memory is reserved for: of fewer the arrays are small, and of more the addresses are
// too many for some limits.
constexpr std::uint64_t reserve_from = std::uint64_t{1} << 16;
constexpr std::uint64_t reserve_limit = std::uint64_t{1} << 24;
constexpr std::uint64_t bytes_per_object = 80; // with what belongs to it, in a heap of small ones

/// Appends what a collector's source finds to a Heap, space by space.
CorruptionKind kind_of(cpython::FaultKind kind) {
  switch (kind) {
  case cpython::FaultKind::space:
    break;
  case cpython::FaultKind::count:
    return CorruptionKind::count;
  case cpython::FaultKind::unmerged:
    return CorruptionKind::unmerged;
  }
  return CorruptionKind::space;
}

/// At rest the bits of gc_refs are those of a pointer.
cpython::GcState in_few_bits(const cpython::GcState& state) {
  return state.is_collecting() ? state : cpython::GcState(0, false, state.is_finalized());
}

class Builder final : public cpython::HeapSink {
public:
  Builder(cpython::ObjectReader& reader, const std::function<bool()>& cancelled)
      : reader_(reader), memory_(reader.memory()), layout_(reader.runtime().layout),
        cancelled_(cancelled) {}

  Result<Heap> build() {
    reserve();
    const cpython::Runtime& runtime = reader_.runtime();
    const auto source = cpython::collector_of(layout_).source(memory_, runtime);
    for (std::size_t i = 0; i < runtime.interpreters.size(); ++i) {
      const cpython::Interpreter& interpreter = runtime.interpreters[i];
      for (std::size_t s = 0; s < interpreter.spaces.size(); ++s) {
        space_ = {.interpreter = i, .space = s, .first = heap_.objects.size()};
        if (auto walked = source->walk(interpreter, interpreter.spaces[s], *this); !walked) {
          return std::unexpected(walked.error());
        }
        heap_.spaces.push_back(space_);
      }
    }
    heap_.unreadable = static_cast<std::size_t>(std::ranges::count(heap_.usable, false));
    return std::move(heap_);
  }

  cpython::Verdict add(const cpython::TrackedObject& tracked) override {
    const Address object = tracked.object;
    Address type = 0;
    CorruptionKind kind = CorruptionKind::object;
    std::string problem;
    bool missing = false;
    Address damaged_type = 0;
    const auto type_at = memory_.load<Address>(object + layout_.ob_type);
    if (tracked.unreadable != nullptr || !type_at) {
      const Error& error = tracked.unreadable != nullptr ? *tracked.unreadable : type_at.error();
      problem = fmt::format("the object at {:#x} cannot be read: {}", object, error.reason);
      missing = error.kind == ErrorKind::memory_not_saved;
    } else {
      type = *type_at;
      if (last_problem_ == nullptr || type != last_type_) {
        last_type_ = type;
        last_problem_ = &reader_.type(type).problem;
      }
      if (!last_problem_->empty()) {
        missing = reader_.type(type).memory_missing;
        damaged_type = type;
        problem = fmt::format("the object at {:#x} {}: {}", object,
                              missing ? "cannot be told" : "is damaged or freed", *last_problem_);
      } else if (tracked.in_motion) {
        problem = fmt::format("the reference counts of the object at {:#x} of type '{}' were just "
                              "being merged by a thread",
                              object, reader_.type(type).name);
      } else if (is_negative(tracked)) {
        kind = CorruptionKind::count;
        problem = fmt::format("the object at {:#x} of type '{}' has {} references, its counts "
                              "added up: some were given back that nobody had",
                              object, reader_.type(type).name,
                              static_cast<std::int64_t>(tracked.refcount));
      } else if (tracked.refcount == 0 && !tracked.may_be_dead) {
        problem =
            fmt::format("the object at {:#x} of type '{}' is tracked with a reference count of 0",
                        object, reader_.type(type).name);
      }
    }
    heap_.objects.push_back(object);
    heap_.refcounts.push_back(tracked.refcount);
    heap_.states.push_back(in_few_bits(tracked.state));
    heap_.types.push_back(type);
    heap_.usable.push_back(problem.empty());
    ++space_.count;
    space_.collecting += tracked.state.is_collecting() ? 1U : 0U;
    if (problem.empty()) {
      return cpython::Verdict::usable;
    }
    heap_.corruptions.push_back({.kind = kind,
                                 .interpreter = space_.interpreter,
                                 .space = space_.space,
                                 .object = object,
                                 .previous = 0,
                                 .type = damaged_type,
                                 .message = std::move(problem),
                                 .memory_missing = missing,
                                 .in_motion = tracked.in_motion});
    return missing ? cpython::Verdict::unreadable : cpython::Verdict::damaged;
  }

  std::span<const Address> added() const override {
    return std::span(heap_.objects).subspan(space_.first);
  }

  void drop_repeated() override {
    std::unordered_set<Address> seen;
    std::size_t kept = space_.first;
    space_.collecting = 0;
    for (std::size_t i = space_.first; i < heap_.objects.size(); ++i) {
      const HeapIndex from(i);
      if (!seen.insert(heap_.objects[from]).second) {
        continue;
      }
      const HeapIndex to(kept);
      heap_.objects[to] = heap_.objects[from];
      heap_.refcounts.set(to, heap_.refcounts[from]);
      heap_.states.set(to, heap_.states[from]);
      heap_.types.set(to, heap_.types[from]);
      heap_.usable[to] = heap_.usable[from];
      space_.collecting += heap_.states[from].is_collecting() ? 1U : 0U;
      ++kept;
    }
    heap_.objects.resize(kept);
    heap_.refcounts.truncate(kept);
    heap_.states.truncate(kept);
    heap_.types.truncate(kept);
    heap_.usable.resize(kept);
    space_.count = kept - space_.first;
  }

  std::size_t add_fault(cpython::SpaceFault fault) override {
    std::vector<Corruption>& faults =
        fault.kind == cpython::FaultKind::space ? heap_.corruptions : heap_.counts;
    faults.push_back({.kind = kind_of(fault.kind),
                      .interpreter = space_.interpreter,
                      .space = space_.space,
                      .object = fault.object,
                      .previous = fault.previous,
                      .type = 0,
                      .message = std::move(fault.message),
                      .memory_missing = fault.memory_missing,
                      .in_motion = fault.in_motion});
    return faults.size() - 1;
  }

  void withdraw(std::size_t fault) override {
    heap_.corruptions.erase(heap_.corruptions.begin() + static_cast<std::ptrdiff_t>(fault));
  }

  std::string take_back_object_fault() override {
    std::string message = std::move(heap_.corruptions.back().message);
    heap_.corruptions.pop_back();
    return message;
  }

  Result<void> proceed() override {
    if (heap_.objects.size() >= object_limit) {
      return fail(ErrorKind::limit, heap_.objects.back(),
                  "more tracked objects than pygc can hold");
    }
    if (++asked_ % cancel_interval == 0 && cancelled_()) {
      return fail(ErrorKind::cancelled, 0, "interrupted");
    }
    return {};
  }

private:
  /// With a GIL a count below 0 is another's business: from 3.12 on it is that of an immortal
  /// object.
  bool is_negative(const cpython::TrackedObject& tracked) const {
    return layout_.free_threaded && static_cast<std::int64_t>(tracked.refcount) < 0;
  }

  /// Room for about as many objects as there can be. What of it is not used is no more than
  /// addresses; what is, need not be copied as the arrays grow.
  void reserve() {
    std::uint64_t bytes = 0;
    for (const image::Region& region : memory_.regions()) {
      if (region.source == image::Source::saved && region.permissions.write) {
        bytes += region.end - region.start;
      }
    }
    const std::uint64_t count = std::min(bytes / bytes_per_object, reserve_limit);
    if (count < reserve_from) {
      return;
    }
    reserve_huge(heap_.objects, count);
    heap_.refcounts.reserve(count);
    heap_.states.reserve(count);
    heap_.types.reserve(count);
  }

  cpython::ObjectReader& reader_;
  const image::AddressSpace& memory_;
  const cpython::Layout& layout_;
  const std::function<bool()>& cancelled_;
  Heap heap_;
  SpaceRange space_; // that is being walked
  std::size_t asked_ = 0;
  Address last_type_ = 0;
  const std::string* last_problem_ = nullptr;
};

} // namespace

Result<Heap> walk_heap(cpython::ObjectReader& reader, const std::function<bool()>& cancelled) {
  return Builder(reader, cancelled).build();
}

} // namespace pygc::heap
