#include "common/analysis/step/running_collection.h"

#include "common/analysis/step/update_position.h"
#include "common/cpython/collector/collector_stack.h"

#include <algorithm>

namespace pygc::analysis {
namespace {

constexpr std::size_t frame_limit = 128;

} // namespace

Result<std::unique_ptr<RunningCollection>> RunningCollection::open(const CollectionInput& input) {
  std::unique_ptr<RunningCollection> collection(new RunningCollection(input));
  if (auto located = collection->locate(input); !located) {
    return std::unexpected(located.error());
  }
  return collection;
}

Result<void> RunningCollection::locate(const CollectionInput& input) {
  const cpython::Runtime& runtime = input.reader.runtime();
  const auto running =
      std::ranges::find_if(runtime.interpreters, &cpython::Interpreter::collecting);
  if (running == runtime.interpreters.end()) {
    return {};
  }
  interpreter_ = &*running;
  if (stepping_ == nullptr) {
    return {};
  }
  loops_ = cpython::find_subtract_loops(input.image.memory(), runtime);
  if (!input.threads.empty()) {
    const std::vector<target::Thread> selected = {input.threads.front()};
    if (const auto stack = cpython::find_collector_stack(input.image, selected, {})) {
      phase_ = stack->phase;
      generation_ = stack->generation ? std::to_string(*stack->generation) : "";
    }
    if (auto frames = input.image.unwind(selected.front(), frame_limit)) {
      frames_ = std::move(*frames);
    }
  }
  const auto interpreter = static_cast<std::size_t>(running - runtime.interpreters.begin());
  if (!stepping_->has_links()) {
    return locate_in_heaps(input, interpreter);
  }
  const heap::SpaceRange* list = heap::space_in_progress(runtime, heap_, interpreter);
  if (list == nullptr) {
    return {};
  }
  const cpython::Space& own = running->spaces[list->space];
  head_ = own.head;
  if (generation_.empty() && own.kind != cpython::SpaceKind::running) {
    generation_ = own.name;
  }
  // Where the loop is left debug information may count the instruction to what comes next.
  const bool at_exit = std::ranges::any_of(loops_, [&](const cpython::SubtractLoop& loop) {
    return loop.exit != 0 && !frames_.empty() && frames_.front().pc == loop.exit;
  });
  if (phase_ != cpython::Phase::unknown && phase_ != cpython::Phase::subtract_refs && !at_exit) {
    return {};
  }
  set_ = heap::collect_space(runtime, heap_, *list);
  stale_ = heap::stale_collecting(heap_);
  if (auto started = start_replay(input); !started) {
    return started;
  }
  auto position =
      find_subtract_position(heap_, set_, {*stepping_, layout_, loops_}, frames_, *replay_);
  if (!position) {
    return std::unexpected(position.error());
  }
  position_ = std::move(*position);
  if (position_) {
    phase_ = cpython::Phase::subtract_refs;
  }
  return {};
}

Result<void> RunningCollection::locate_in_heaps(const CollectionInput& input,
                                                std::size_t interpreter) {
  if (phase_ != cpython::Phase::unknown && phase_ != cpython::Phase::update_refs) {
    return {};
  }
  set_ = heap::collect_spaces(input.reader.runtime(), heap_, interpreter, SIZE_MAX);
  if (auto started = start_replay(input); !started) {
    return started;
  }
  auto position = find_update_position(input.image.memory(), set_, {*stepping_, layout_, loops_},
                                       frames_, *replay_);
  if (!position) {
    return std::unexpected(position.error());
  }
  position_ = std::move(*position);
  if (position_) {
    phase_ = cpython::Phase::update_refs;
  }
  return {};
}

Result<void> RunningCollection::start_replay(const CollectionInput& input) {
  const auto replayer = input.replayer();
  if (!replayer) {
    return std::unexpected(replayer.error());
  }
  replay_ = std::make_unique<SubtractReplay>(**replayer, set_, stale_);
  return {};
}

std::optional<std::uint32_t> RunningCollection::index_of(Address object) const {
  const auto found = std::ranges::find(set_.objects, object);
  if (found == set_.objects.end()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(found - set_.objects.begin());
}

Address RunningCollection::link_to(std::uint32_t container) const {
  const std::size_t first = set_.heap_index.front();
  // Objects that the set leaves out lie on the list all the same.
  const std::size_t at = container < set_.heap_index.size()
                             ? set_.heap_index[heap::SetIndex(container)]
                             : set_.heap_index.back() + 1;
  return at == first ? stepping_->link_to_first(layout_, head_)
                     : stepping_->link_behind(layout_, heap_.objects[heap::HeapIndex(at - 1)]);
}

std::vector<Address> RunningCollection::traverse_functions() const {
  std::vector<Address> functions;
  functions.reserve(set_.heap_index.size());
  for (const heap::HeapIndex index : set_.heap_index) {
    functions.push_back(reader_.type(heap_.types[index]).traverse);
  }
  return functions;
}

std::vector<Address> RunningCollection::ways_out() const {
  std::vector<Address> ways;
  for (const cpython::SubtractLoop& loop : loops_) {
    if (loop.exit != 0) {
      ways.push_back(loop.exit);
    }
  }
  if (position_ && position_->caller != 0) {
    ways.push_back(position_->caller);
  }
  return ways;
}

Address RunningCollection::gc_refs_word(std::uint32_t object) const {
  return stepping_->gc_refs_word(layout_, set_.objects[heap::SetIndex(object)]);
}

} // namespace pygc::analysis
