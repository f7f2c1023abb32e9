#include "replayer/native/runner.h"

#include "replayer/native/counts.h"
#include "replayer/native/machine.h"
#include "replayer/native/map.h"
#include "replayer/native/run_state.h"
#include "replayer/native/visitors.h"
#include "replayer/native/walk.h"
#include "replayer/shared/gc_refs.h"
#include "replayer/shared/own_range.h"

#include <array>

namespace pygc::replayer {

constinit RunState run_state;

namespace {

namespace protocol = replay::protocol;
using protocol::Kind;
using protocol::Outcome;

using Traverse = int (*)(std::uint64_t object, std::uint64_t visitor, std::uint64_t argument);

// How many objects ahead their memory is asked for.
constexpr std::uint64_t lookahead = 12;

// What gc_refs of the watched objects were after the container before.
std::array<std::uint64_t, protocol::max_watched> watched_before;

std::uint64_t& at(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

/// The part that the loops have in common. They run on the target's stack, where a signal handler
/// may end them at any object; all that must outlive that is in run_state.
struct Loop {
  RunState& state = run_state;
  const protocol::Command& command = run_state.command;
  std::uint64_t* objects = in_window<std::uint64_t>(run_state.command.objects);
  volatile std::uint64_t* progress = &in_window<protocol::WindowHeader>(0)->progress;

  std::uint64_t gc_prev(std::uint64_t object) const {
    return object - state.setup.shape.gc_head_size + state.setup.shape.gc_prev;
  }

  std::uint64_t enter(std::uint64_t i) const {
    state.index = i;
    *progress = i;
    if (i + lookahead < command.end) {
      __builtin_prefetch(reinterpret_cast<const void*>(gc_prev(objects[i + lookahead])), 1);
    }
    return objects[i];
  }

  void end_object(std::uint64_t address, Outcome outcome = Outcome::not_run) const {
    state.incident = {0, address, 0, 0, outcome, {}};
    state.ended = true;
  }

  void finish() const { state.index = command.end; }
};

void clear_loop() {
  const Loop loop;
  for (std::uint64_t i = loop.state.index; i < loop.command.end; ++i) {
    const std::uint64_t object = loop.enter(i);
    if (!is_own(object)) {
      at(loop.gc_prev(object)) &= ~collecting_bit;
    }
  }
  loop.finish();
}

/// Of Kind::clear: a word of the target's, as it is to be.
void lend_word() {
  const protocol::Answer& lent = run_state.command.answers[0];
  if (!is_own(lent.function)) {
    at(lent.function) = lent.value;
  }
}

void update_loop() {
  const Loop loop;
  const auto* refcounts = in_window<std::uint64_t>(loop.command.counts);
  for (std::uint64_t i = loop.state.index; i < loop.command.end; ++i) {
    const std::uint64_t object = loop.enter(i);
    if (is_own(object)) {
      loop.end_object(object);
      return;
    }
    std::uint64_t& prev = at(loop.gc_prev(object));
    prev = gc_prev_with(prev, refcounts[i]);
  }
  loop.finish();
}

void collect_loop() {
  const Loop loop;
  auto* gc_refs = in_window<std::int64_t>(loop.command.counts);
  for (std::uint64_t i = loop.state.index; i < loop.command.end; ++i) {
    const std::uint64_t object = loop.enter(i);
    gc_refs[i] = protocol::gc_refs_lost;
    if (object == 0) {
      continue;
    }
    if (counts.on) {
      gc_refs[i] = counted_gc_refs(object);
      continue;
    }
    std::uint64_t& prev = at(loop.gc_prev(object));
    if ((prev & collecting_bit) != 0) {
      gc_refs[i] = gc_refs_of(prev);
      prev &= ~collecting_bit;
    }
  }
  loop.finish();
}

std::uint64_t watched_value(const Loop& loop, std::uint32_t index) {
  const std::uint64_t object = loop.objects[index];
  return object == 0 ? 0 : at(loop.gc_prev(object)) >> gc_refs_shift;
}

void start_watching(const Loop& loop) {
  const auto* watched = in_window<std::uint32_t>(loop.command.watched);
  for (std::uint32_t w = 0; w < loop.command.watched_count; ++w) {
    watched_before[w] = watched_value(loop, watched[w]);
  }
}

/// Attributes what became of the watched objects to the container. There is room: see has_room().
void compare_watched(const Loop& loop, std::uint64_t container) {
  const auto* watched = in_window<std::uint32_t>(loop.command.watched);
  auto* out = in_window<protocol::DecrementRecord>(loop.command.records);
  for (std::uint32_t w = 0; w < loop.command.watched_count; ++w) {
    const std::uint64_t now = watched_value(loop, watched[w]);
    if (now != watched_before[w]) {
      out[loop.state.records] = {static_cast<std::uint32_t>(container), watched[w],
                                 static_cast<std::uint32_t>(watched_before[w] - now)};
      loop.state.records = loop.state.records + 1;
      watched_before[w] = now;
    }
  }
}

/// Keeps of the visits of one container those that the second traversal, with visit_decref, has
/// decremented, and makes that undone. Objects come as often as they were visited: the first ones
/// are kept, whichever they were.
void settle_edges(const Loop& loop) {
  const auto* records = in_window<protocol::EdgeRecord>(loop.command.records);
  auto* kept = in_window<protocol::EdgeRecord>(loop.command.records);
  std::uint64_t count = loop.state.container_records;
  for (std::uint64_t r = loop.state.container_records; r < loop.state.records; ++r) {
    const protocol::EdgeRecord record = records[r];
    std::uint64_t& prev = at(loop.gc_prev(loop.objects[record.object]));
    const std::uint64_t left =
        (prev >> gc_refs_shift) & ((std::uint64_t{1} << protocol::edge_index_shift) - 1);
    if (left < protocol::edge_count) {
      prev += std::uint64_t{1} << gc_refs_shift;
      kept[count++] = record;
    }
  }
  loop.state.records = count;
}

bool has_room(const Loop& loop) {
  return loop.command.kind != Kind::traverse ||
         loop.state.records + loop.command.watched_count <= loop.command.record_capacity;
}

/// Nobody asks for the container of a visit.
bool visits_soon(const protocol::Command& command) {
  return command.kind == Kind::inspect ||
         (command.kind == Kind::traverse && command.objects == protocol::walked_objects &&
          command.visitor == 0 && command.watched_count == 0);
}

std::uint64_t visitor_of(const protocol::Command& command) {
  switch (command.kind) {
  case Kind::visits:
    return reinterpret_cast<std::uint64_t>(&visit_record);
  case Kind::edges:
    return reinterpret_cast<std::uint64_t>(&visit_edge);
  default:
    break;
  }
  return command.visitor != 0 ? command.visitor : reinterpret_cast<std::uint64_t>(&visit_decrement);
}

/// The types whose contents are looked at.
class LookedAt {
public:
  explicit LookedAt(bool wanted)
      : tuple_(wanted && run_state.tuple_type != 0 ? run_state.tuple_type : no_type),
        dict_(wanted && run_state.dict_type != 0 ? run_state.dict_type : no_type) {}

  bool finds_unsound(std::uint64_t object, std::uint64_t type) const {
    return type == tuple_ ? is_unsound_tuple(object) : type == dict_ && is_unsound_dict(object);
  }

private:
  static constexpr std::uint64_t no_type = 1; // no address of one
  std::uint64_t tuple_;
  std::uint64_t dict_;
};

void traverse_loop() {
  const Loop loop;
  const auto& setup = loop.state.setup;
  const bool edges = loop.command.kind == Kind::edges;
  const bool watching = loop.command.kind == Kind::traverse;
  const std::uint64_t visitor = visitor_of(loop.command);
  const LookedAt looked_at(watching);
  for (std::uint64_t i = loop.state.index; i < loop.command.end; ++i) {
    const std::uint64_t object = loop.enter(i);
    if (!has_room(loop)) {
      return;
    }
    if (object == 0) {
      continue;
    }
    std::uint64_t function = loop.command.function;
    if (function == 0) {
      const std::uint64_t type = at(object + setup.shape.ob_type);
      function = at(type + setup.shape.tp_traverse);
      if (looked_at.finds_unsound(object, type)) {
        loop.state.suspects = loop.state.suspects + 1;
      }
    }
    if (function == 0) {
      loop.end_object(object);
      return;
    }
    if (loop.state.endless.gives_up(function)) {
      if (loop.state.endless.tells(function)) {
        loop.end_object(function, Outcome::skipped);
        return;
      }
      continue;
    }
    loop.state.function = function;
    loop.state.container_records = loop.state.records;
    reinterpret_cast<Traverse>(function)(object, visitor, object);
    machine::reset_state();
    if (loop.state.records_full) {
      return;
    }
    if (edges && loop.command.visitor != 0 && loop.state.records != loop.state.container_records) {
      loop.state.counting = true;
      reinterpret_cast<Traverse>(function)(object, loop.command.visitor, object);
      machine::reset_state();
      settle_edges(loop);
      loop.state.counting = false;
    }
    if (watching) {
      compare_watched(loop, i);
    }
    loop.state.traversed = loop.state.traversed + 1;
  }
  loop.finish();
}

/// As traverse_loop(), when nobody asks for the container of a visit.
void sweep_loop() {
  const Loop loop;
  const auto& shape = loop.state.setup.shape;
  const LookedAt looked_at(loop.command.kind == Kind::traverse);
  const auto visitor = reinterpret_cast<std::uint64_t>(&visit_soon);
  for (std::uint64_t i = loop.state.index; i < loop.command.end; ++i) {
    const std::uint64_t object = loop.enter(i);
    const std::uint64_t type = at(object + shape.ob_type);
    const std::uint64_t function = at(type + shape.tp_traverse);
    if (function == 0) {
      loop.end_object(object);
      return;
    }
    if (looked_at.finds_unsound(object, type)) {
      loop.state.suspects = loop.state.suspects + 1;
    }
    reinterpret_cast<Traverse>(function)(object, visitor, object);
    machine::reset_state();
    loop.state.traversed = i + 1 - loop.command.first;
  }
  settle_waiting();
  loop.finish();
}

struct Step {
  machine::Body body;
  Mode mode;
};

Step step_of(Kind kind) {
  switch (kind) {
  case Kind::clear:
    return {&clear_loop, Mode::writing};
  case Kind::update:
    return {&update_loop, Mode::writing};
  case Kind::collect:
    return {&collect_loop, Mode::writing};
  case Kind::find:
    return {&find_objects, Mode::target};
  case Kind::scan:
    return {&scan_objects, Mode::writing};
  case Kind::list:
    return {&list_objects, Mode::writing};
  default:
    return {&traverse_loop, Mode::target};
  }
}

void write_incident(const Loop& loop, std::uint64_t number) {
  auto& record = in_window<protocol::IncidentRecord>(loop.command.incidents)[number];
  record = loop.state.incident;
  record.container = static_cast<std::uint32_t>(loop.state.index);
  if (loop.command.kind == Kind::update) {
    loop.objects[loop.state.index] = 0; // out of the round
  }
}

} // namespace

protocol::Reply run_command() {
  RunState& state = run_state;
  const Loop loop;
  const Step step =
      visits_soon(loop.command) ? Step{&sweep_loop, Mode::target} : step_of(loop.command.kind);
  if (loop.command.kind == Kind::clear && loop.command.answers[0].function != 0) {
    state.mode = Mode::writing;
    machine::run_on_stack(&lend_word, target_stack_top());
    state.mode = Mode::idle;
  }
  state.index = loop.command.first;
  state.traversed = 0;
  state.records = 0;
  state.container_records = 0;
  state.records_full = false;
  state.counting = false;
  state.visitor_caller = 0;
  state.function = 0;
  if (loop.command.first == 0) {
    state.endless.start_command();
  }
  if (loop.command.kind == Kind::update) {
    counts.on = false; // a round counts in the heads
  }
  if (loop.command.kind == Kind::traverse) {
    state.suspects = 0;
    start_watching(loop);
  }

  if (visits_soon(loop.command)) {
    start_waiting(loop.command.kind == Kind::traverse);
  }

  protocol::Reply reply;
  while (state.index < loop.command.end && reply.incidents < loop.command.incident_capacity) {
    state.ended = false;
    state.mode = step.mode;
    machine::run_on_stack(step.body, target_stack_top());
    state.mode = Mode::idle;
    state.visitor_caller = 0;
    if (state.records_full) {
      state.records = state.container_records; // that container's turn comes again
      break;
    }
    if (!state.ended) {
      break;
    }
    write_incident(loop, reply.incidents++);
    if (state.incident.outcome == protocol::Outcome::timeout && state.function != 0) {
      state.endless.timed_out(state.function);
    }
    if (loop.command.kind == Kind::traverse) {
      compare_watched(loop, state.index); // it may have visited some before it ended
    }
    if (state.counting) {
      settle_edges(loop);
      state.counting = false;
    } else if (state.incident.outcome == protocol::Outcome::timeout) {
      state.records = state.container_records; // of a traversal without end: no list of visits
    }
    state.index = state.index + 1;
  }
  reply.next = state.index;
  reply.records = state.records;
  reply.traversed = state.traversed;
  return reply;
}

} // namespace pygc::replayer
