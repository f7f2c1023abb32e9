#include "replayer/native/visitors.h"

#include "replayer/native/counts.h"
#include "replayer/native/run_state.h"
#include "replayer/native/walk.h"
#include "replayer/shared/gc_refs.h"

#include <array>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

std::uint64_t load(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

bool has_gc_head(std::uint64_t object, std::uint64_t type) {
  const auto& shape = run_state.setup.shape;
  if ((load(type + shape.tp_flags) >> shape.tp_flags_have_gc_bit & 1) == 0) {
    return false;
  }
  const std::uint64_t is_gc = load(type + shape.tp_is_gc);
  return is_gc == 0 || reinterpret_cast<int (*)(std::uint64_t)>(is_gc)(object) != 0;
}

struct Visited {
  std::uint64_t type = 0;
  std::uint64_t* prev = nullptr; // _gc_prev; null: it has no head
  bool collecting = false;       // visit_decref would decrement it
};

// Inline: it is called for each visit of a large heap.
[[gnu::always_inline]] inline Visited look_at(std::uint64_t object) {
  const auto& shape = run_state.setup.shape;
  const std::uint64_t type = load(object + shape.ob_type);
  if (!has_gc_head(object, type)) {
    return {type, nullptr, false};
  }
  auto* prev = reinterpret_cast<std::uint64_t*>(object - shape.gc_head_size + shape.gc_prev);
  return {type, prev, (*prev & collecting_bit) != 0};
}

/// What stands beside the target's memory for an object that is being collected, else null.
[[gnu::always_inline]] inline std::uint32_t* collected_count(std::uint64_t object) {
  std::uint32_t* count = counts.on ? count_at(object) : nullptr;
  return count != nullptr && is_counted(*count, object) ? count : nullptr;
}

/// Of an object that is not being collected.
void inspect(std::uint64_t object, const Visited& visited) {
  if (run_state.walked && is_suspect(object, visited.type, visited.prev != nullptr)) {
    run_state.suspects = run_state.suspects + 1;
  }
}

/// Whoever has the memory of an object that was freed may have set a COLLECTING bit.
bool is_bit_of_others(const Visited& visited) {
  return run_state.walked && !is_gc_prev_of_round(*visited.prev);
}

void decrement(const Visited& visited) {
  *visited.prev -= std::uint64_t{1} << gc_refs_shift;
}

// Visits that are settled once the memory of their objects has come.
constexpr std::uint64_t max_waiting = 16;
struct Waiting {
  std::uint64_t object = 0;
  std::uint32_t* count = nullptr; // of count_at(), where there are counts
};
std::array<Waiting, max_waiting> waiting;
std::uint64_t waiting_end = 0; // visits so far
std::uint64_t settled_end = 0;
bool decrementing = false;

void settle_next() {
  const auto [object, count] = waiting[settled_end++ % max_waiting];
  if (count != nullptr && is_counted(*count, object)) {
    *count -= decrementing ? 1u : 0u;
    return;
  }
  const Visited visited = look_at(object);
  if (!visited.collecting) {
    inspect(object, visited);
  } else if (is_bit_of_others(visited)) {
    run_state.suspects = run_state.suspects + 1;
  } else if (decrementing) {
    decrement(visited);
  }
}

} // namespace

bool is_collecting(std::uint64_t object) {
  if (!counts.on) {
    return look_at(object).collecting;
  }
  if (collected_count(object) != nullptr) {
    return true;
  }
  look_at(object); // whose memory must be there
  return false;
}

void start_waiting(bool decrements) {
  waiting_end = 0;
  settled_end = 0;
  decrementing = decrements;
}

int visit_soon(std::uint64_t object, void* /*argument*/) {
  std::uint32_t* count = counts.on ? count_at(object) : nullptr;
  if (count != nullptr) {
    __builtin_prefetch(count, 1);
  } else {
    __builtin_prefetch(reinterpret_cast<const void*>(object), 1);
    __builtin_prefetch(reinterpret_cast<const void*>(object - 16), 1);
  }
  if (waiting_end - settled_end == max_waiting) {
    settle_next();
  }
  waiting[waiting_end++ % max_waiting] = {object, count};
  return 0;
}

void settle_waiting() {
  while (settled_end != waiting_end) {
    settle_next();
  }
}

int visit_decrement(std::uint64_t object, void* /*argument*/) {
  RunState& state = run_state;
  state.visitor_caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  const Visited visited = look_at(object);
  if (!visited.collecting) {
    inspect(object, visited);
  } else if (is_bit_of_others(visited)) {
    state.suspects = state.suspects + 1;
  } else {
    decrement(visited);
  }
  state.visitor_caller = 0;
  return 0;
}

int visit_edge(std::uint64_t object, void* /*argument*/) {
  RunState& state = run_state;
  const auto& command = state.command;
  state.visitor_caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  const Visited visited = look_at(object);
  state.visitor_caller = 0;
  if (!visited.collecting) {
    return 0;
  }
  const std::uint64_t index =
      ((*visited.prev >> gc_refs_shift) - gc_refs_bias) >> protocol::edge_index_shift;
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
