#include "replayer/native/visitors.h"

#include "replayer/native/run_state.h"

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

std::uint64_t load(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

bool is_gc_object(std::uint64_t object) {
  const auto& shape = run_state.setup;
  const std::uint64_t type = load(object + shape.ob_type);
  if ((load(type + shape.tp_flags) >> shape.tp_flags_have_gc_bit & 1) == 0) {
    return false;
  }
  const std::uint64_t is_gc = load(type + shape.tp_is_gc);
  return is_gc == 0 || reinterpret_cast<int (*)(std::uint64_t)>(is_gc)(object) != 0;
}

/// The _gc_prev of an object that visit_decref would decrement; null: of no such object.
std::uint64_t* collected_head(std::uint64_t object) {
  if (!is_gc_object(object)) {
    return nullptr;
  }
  const auto& shape = run_state.setup;
  auto* prev = reinterpret_cast<std::uint64_t*>(object - shape.gc_head_size + shape.gc_prev);
  return (*prev & protocol::collecting_bit) != 0 ? prev : nullptr;
}

} // namespace

int visit_decrement(std::uint64_t object, void* /*argument*/) {
  RunState& state = run_state;
  state.visitor_caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  if (std::uint64_t* prev = collected_head(object)) {
    *prev -= std::uint64_t{1} << protocol::gc_refs_shift;
  }
  state.visitor_caller = 0;
  return 0;
}

int visit_edge(std::uint64_t object, void* /*argument*/) {
  RunState& state = run_state;
  const auto& command = state.command;
  state.visitor_caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  const std::uint64_t* prev = collected_head(object);
  state.visitor_caller = 0;
  if (prev == nullptr) {
    return 0;
  }
  const std::uint64_t index =
      ((*prev >> protocol::gc_refs_shift) - protocol::gc_refs_bias) >> protocol::edge_index_shift;
  // A COLLECTING bit that nobody of the round has set stands for no index.
  if (index >= command.object_count || in_window<std::uint64_t>(command.objects)[index] != object) {
    return 0;
  }
  const std::uint64_t count = state.records;
  if (count >= command.record_capacity) {
    state.records_full = true;
    return 1;
  }
  in_window<protocol::EdgeRecord>(command.records)[count] = {
      static_cast<std::uint32_t>(state.index), static_cast<std::uint32_t>(index)};
  state.records = count + 1;
  return 0;
}

int visit_record(std::uint64_t object, void* /*argument*/) {
  RunState& state = run_state;
  const std::uint64_t count = state.records;
  if (count >= state.command.record_capacity) {
    state.records_full = true;
    return 1;
  }
  in_window<protocol::VisitRecord>(state.command.records)[count] = {
      object, static_cast<std::uint32_t>(state.index), 0};
  state.records = count + 1;
  return 0;
}

} // namespace pygc::replayer
