#include "common/analysis/step/subtract_position.h"

#include "common/cpython/collector/phase.h"
#include "common/machine/machine.h"

#include <algorithm>
#include <numeric>

namespace pygc::analysis {
namespace {

/// The frame that runs the loop.
struct LoopFrame {
  const image::Frame* frame = nullptr;
  bool calling = false; // it has called a traverse function that has not returned
  bool certain = false; // a name or a return address says so, not only that the pc is near
};

LoopFrame find_loop_frame(std::span<const cpython::SubtractLoop> loops,
                          std::span<const image::Frame> frames) {
  for (const image::Frame& frame : frames) {
    const bool innermost = frame.cfa == frames.front().cfa;
    for (const cpython::SubtractLoop& loop : loops) {
      if (!innermost && frame.pc == loop.return_address) {
        return {&frame, true, true};
      }
    }
    if (cpython::phase_named(frame.function) == cpython::Phase::subtract_refs) {
      return {&frame, false, true};
    }
    for (const cpython::SubtractLoop& loop : loops) {
      if (innermost && is_near(loop, frame.pc)) {
        return {&frame, false, false};
      }
    }
  }
  return {};
}

std::int64_t total(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

class Finder {
public:
  Finder(const heap::Heap& heap, const heap::CollectedSet& set, const SubtractCode& code,
         SubtractReplay& replay)
      : heap_(heap), set_(set), code_(code), replay_(replay) {}

  Result<std::optional<SubtractPosition>> run(const LoopFrame& loop) {
    for (const heap::HeapIndex index : set_.heap_index) {
      const cpython::GcState state = heap_.states[index];
      if (!state.is_collecting()) {
        return std::nullopt;
      }
      position_.stored.push_back(state.gc_refs());
    }
    stored_total_ = total(position_.stored);
    position_.inside = loop.calling;
    auto found = loop.calling ? find_called(*loop.frame) : find_next(*loop.frame);
    if (!found) {
      return std::unexpected(found.error());
    }
    if (!*found && (loop.certain || loop.calling)) {
      found = search();
    }
    if (!found) {
      return std::unexpected(found.error());
    }
    if (!*found) {
      return std::nullopt;
    }
    position_.visits = static_cast<std::uint64_t>(
        std::max<std::int64_t>(total(position_.before) - stored_total_, 0));
    return std::move(position_);
  }

private:
  /// The objects of the set that the frame's registers and variables may be a cursor to; the
  /// furthest first.
  std::vector<std::uint32_t> candidates(const image::Frame& frame) const {
    std::vector<std::uint64_t> values;
    // The cursor outlives the calls; what other registers hold is left over from them.
    for (std::size_t i = 0; i < frame.registers.size(); ++i) {
      if (const std::optional<std::uint64_t> value = frame.registers[i];
          value && machine::is_callee_saved(i)) {
        values.push_back(*value);
      }
    }
    for (const char* name : {"gc", "op"}) { // a variable may live on the stack
      if (const auto variable = frame.variables.find(name); variable != frame.variables.end()) {
        values.push_back(variable->second);
      }
    }
    std::vector<std::uint32_t> found;
    for (auto i = static_cast<std::uint32_t>(set_.objects.size()); i-- > 0;) {
      if (std::ranges::any_of(values, [&](std::uint64_t value) {
            return code_.stepping.is_cursor(code_.layout, value, set_.objects[heap::SetIndex(i)]);
          })) {
        found.push_back(i);
      }
    }
    return found;
  }

  /// Replays up to the container; true when what is stored fits to being there.
  Result<bool> fits(std::uint32_t container) {
    auto before = replay_.gc_refs_after(container);
    if (!before) {
      return std::unexpected(before.error());
    }
    std::vector<std::int64_t> taken(set_.objects.size());
    if (container < set_.objects.size()) {
      auto decrements = replay_.decrements_by(container);
      if (!decrements) {
        return std::unexpected(decrements.error());
      }
      taken = std::move(*decrements);
    }
    const std::int64_t made = total(*before) - stored_total_;
    position_.container = container;
    position_.before = std::move(*before);
    position_.taken = std::move(taken);
    return position_.inside ? made >= 0 && made <= total(position_.taken) : made == 0;
  }

  Result<bool> find_called(const image::Frame& frame) {
    const auto found = candidates(frame);
    for (const std::uint32_t candidate : found) {
      const auto fitting = fits(candidate);
      if (!fitting || *fitting) {
        return fitting;
      }
    }
    // References may have changed since update_refs counted them: the frame's only one stands.
    if (found.size() == 1) {
      const auto fitting = fits(found.front());
      return fitting ? Result<bool>(true) : fitting;
    }
    return false;
  }

  Result<bool> find_next(const image::Frame& frame) {
    const auto found = candidates(frame);
    const auto all = static_cast<std::uint32_t>(set_.objects.size());
    if (found.empty()) { // before the first one, or behind the last one
      const auto fitting = fits(all);
      return !fitting || *fitting ? fitting : fits(0);
    }
    for (const std::uint32_t candidate : found) {
      // It was loaded to be the next one, or is the one that has just been traversed.
      for (const std::uint32_t next : {candidate, candidate + 1}) {
        const auto fitting = fits(next);
        if (!fitting || *fitting) {
          return fitting;
        }
      }
    }
    return false;
  }

  /// The last container before which no more decrements were made than are stored.
  Result<bool> search() {
    std::uint32_t low = 0;
    auto high = static_cast<std::uint32_t>(set_.objects.size());
    while (low < high) {
      const std::uint32_t middle = low + (high - low + 1) / 2;
      const auto before = replay_.gc_refs_after(middle);
      if (!before) {
        return std::unexpected(before.error());
      }
      if (total(*before) >= stored_total_) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const auto fitting = fits(low);
    return fitting ? Result<bool>(true) : fitting;
  }

  const heap::Heap& heap_;
  const heap::CollectedSet& set_;
  const SubtractCode& code_;
  SubtractReplay& replay_;
  SubtractPosition position_;
  std::int64_t stored_total_ = 0;
};

} // namespace

Result<std::optional<SubtractPosition>> find_subtract_position(const heap::Heap& heap,
                                                               const heap::CollectedSet& set,
                                                               const SubtractCode& code,
                                                               std::span<const image::Frame> frames,
                                                               SubtractReplay& replay) {
  const LoopFrame loop = find_loop_frame(code.loops, frames);
  if (loop.frame == nullptr || set.objects.empty()) {
    return std::nullopt;
  }
  auto position = Finder(heap, set, code, replay).run(loop);
  if (position && *position) {
    // Inlined calls share a frame.
    const auto caller =
        std::ranges::find_if(frames.subspan(static_cast<std::size_t>(loop.frame - frames.data())),
                             [&](const image::Frame& one) { return one.cfa != loop.frame->cfa; });
    (*position)->caller = caller == frames.end() ? 0 : caller->pc;
  }
  return position;
}

} // namespace pygc::analysis
