// A collection that the selected thread is in the middle of, opened for stepping.
#pragma once

#include "common/analysis/step/subtract_position.h"
#include "common/analysis/step/subtract_replay.h"
#include "common/cpython/collector/collector.h"
#include "common/cpython/collector/phase.h"
#include "common/cpython/collector/subtract_search.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct CollectionInput {
  const image::ProcessImage& image;
  const std::vector<target::Thread>& threads; // the selected one first
  cpython::ObjectReader& reader;
  const heap::Heap& heap;
  /// Asked only when there is a collection to replay.
  std::function<Result<replay::Replayer*>()> replayer;
};

class RunningCollection {
public:
  /// Errors: those of the replayer.
  static Result<std::unique_ptr<RunningCollection>> open(const CollectionInput& input);

  bool in_progress() const { return interpreter_ != nullptr; }
  /// The interpreter that collects; nullptr when none does.
  const cpython::Interpreter* interpreter() const { return interpreter_; }
  /// unknown when it cannot be told.
  cpython::Phase phase() const { return phase_; }
  /// The oldest generation collected; empty when it cannot be told.
  const std::string& generation() const { return generation_; }
  /// Of the selected thread, innermost first.
  const std::vector<image::Frame>& frames() const { return frames_; }
  const std::vector<cpython::SubtractLoop>& loops() const { return loops_; }
  const heap::CollectedSet& set() const { return set_; }
  /// Where subtract_refs is, or without a GIL update_refs; nullptr when the thread is not there.
  const SubtractPosition* position() const { return position_ ? &*position_ : nullptr; }
  /// Only with a position.
  SubtractReplay& replay() const { return *replay_; }

  std::optional<std::uint32_t> index_of(Address object) const;
  /// Stepping::has_links().
  bool has_links() const { return stepping_->has_links(); }
  /// Only with links. The word that subtract_refs reads once to get to this container, right before
  /// it traverses it; for the number of all containers the one that leads back to the head.
  Address link_to(std::uint32_t container) const;
  /// What the loop calls to traverse each container; 0 where that cannot be told.
  std::vector<Address> traverse_functions() const;
  /// Where a process comes by that leaves the loop: behind it, and where its function returns to.
  std::vector<Address> ways_out() const;
  /// Where the gc_refs of an object is, and the least that the word holds while gc_refs is not 0.
  Address gc_refs_word(std::uint32_t object) const;
  std::uint64_t least_with_reference() const { return stepping_->least_with_reference(); }

private:
  explicit RunningCollection(const CollectionInput& input)
      : layout_(input.reader.runtime().layout),
        stepping_(cpython::collector_of(layout_).stepping()), reader_(input.reader),
        heap_(input.heap) {}

  Result<void> locate(const CollectionInput& input);
  Result<void> locate_in_heaps(const CollectionInput& input, std::size_t interpreter);
  Result<void> start_replay(const CollectionInput& input);

  const cpython::Layout& layout_;
  const cpython::Stepping* stepping_; // nullptr: the collector cannot be followed
  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  const cpython::Interpreter* interpreter_ = nullptr;
  Address head_ = 0;
  cpython::Phase phase_ = cpython::Phase::unknown;
  std::string generation_;
  std::vector<image::Frame> frames_;
  std::vector<cpython::SubtractLoop> loops_;
  std::vector<Address> stale_;
  heap::CollectedSet set_;
  std::unique_ptr<SubtractReplay> replay_;
  std::optional<SubtractPosition> position_;
};

} // namespace pygc::analysis
