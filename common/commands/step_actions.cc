#include "common/commands/step_actions.h"

#include <fmt/format.h>

namespace pygc::commands {
namespace {

using wire::Action;
using wire::ActionKind;

constexpr std::string_view stage_option = "--stage=";
constexpr std::string_view object_option = "--object=";
constexpr std::string_view value_option = "--value=";
constexpr std::string_view stop_option = "--stop=";

/// And by a breakpoint behind the loop, when the stop does not happen.
Actions stop_at(const analysis::RunningCollection& collection, Actions actions) {
  for (const Address way : collection.ways_out()) {
    actions.push_back(
        {.kind = ActionKind::breakpoint, .address = way, .mark = stop::guard, .own_thread = true});
  }
  actions.push_back({.kind = ActionKind::resume});
  actions.push_back({.kind = ActionKind::clear});
  return actions;
}

/// And by one behind the call of the traverse function.
Actions stop_inside(const analysis::RunningCollection& collection, Actions actions) {
  for (const cpython::SubtractLoop& loop : collection.loops()) {
    actions.push_back({.kind = ActionKind::breakpoint,
                       .address = loop.return_address,
                       .mark = stop::guard,
                       .own_thread = true});
  }
  return stop_at(collection, std::move(actions));
}

/// At the entry of visit_decref, for a decrement that finds gc_refs 0.
Action refused(const analysis::RunningCollection& collection, const analysis::SubtractGoal& goal) {
  return {.kind = ActionKind::breakpoint,
          .address = collection.loops().front().visitor,
          .argument = collection.set().objects[heap::SetIndex(goal.object)],
          .word = collection.gc_refs_word(goal.object),
          .below = collection.least_with_reference(),
          .mark = stop::place};
}

Action watch_gc_refs(const analysis::RunningCollection& collection,
                     const analysis::SubtractGoal& goal) {
  return {.kind = ActionKind::watch_write,
          .address = collection.gc_refs_word(goal.object),
          .ignore = goal.earlier};
}

} // namespace

Actions to_collection(const std::vector<cpython::SubtractLoop>& loops) {
  Actions actions;
  for (const cpython::SubtractLoop& loop : loops) {
    actions.push_back({.kind = ActionKind::breakpoint, .address = loop.call});
  }
  actions.push_back({.kind = ActionKind::resume});
  actions.push_back({.kind = ActionKind::clear});
  return actions;
}

Actions to_container(const analysis::RunningCollection& collection, std::uint32_t container) {
  return stop_at(collection,
                 {{.kind = ActionKind::watch_access, .address = collection.link_to(container)}});
}

Actions to_decrement(const analysis::RunningCollection& collection,
                     const analysis::SubtractGoal& goal) {
  return stop_at(collection, {watch_gc_refs(collection, goal)});
}

Actions to_refused_decrement(const analysis::RunningCollection& collection,
                             const analysis::SubtractGoal& goal) {
  return stop_at(collection, {refused(collection, goal), watch_gc_refs(collection, goal)});
}

Actions out_of_loop(const analysis::RunningCollection& collection) {
  return stop_at(collection, {});
}

Actions to_hop(const analysis::RunningCollection& collection, const analysis::Hop& hop) {
  Actions actions;
  const auto stop = [&](Address place) {
    actions.push_back({.kind = ActionKind::breakpoint,
                       .address = place,
                       .ignore = hop.passes,
                       .mark = stop::place,
                       .own_thread = true});
  };
  if (hop.function != 0) {
    stop(hop.function);
  } else {
    for (const cpython::SubtractLoop& loop : collection.loops()) { // one of them runs
      stop(loop.call);
    }
  }
  return stop_at(collection, std::move(actions));
}

Actions to_visitor(const analysis::RunningCollection& collection, std::uint64_t passes) {
  return stop_inside(collection, {{.kind = ActionKind::breakpoint,
                                   .address = collection.loops().front().visitor,
                                   .ignore = passes,
                                   .mark = stop::place,
                                   .own_thread = true}});
}

Actions to_entry(const analysis::RunningCollection& collection, std::uint32_t container,
                 Address function) {
  Actions actions;
  const auto stop = [&](Address place) {
    actions.push_back({.kind = ActionKind::breakpoint,
                       .address = place,
                       .argument = collection.set().objects[heap::SetIndex(container)],
                       .mark = stop::place,
                       .own_thread = true});
  };
  if (function != 0) {
    stop(function);
  } else {
    for (const cpython::SubtractLoop& loop : collection.loops()) {
      stop(loop.call);
    }
  }
  return stop_at(collection, std::move(actions));
}

Actions to_visit(const analysis::RunningCollection& collection, std::uint32_t object) {
  return stop_inside(collection, {{.kind = ActionKind::breakpoint,
                                   .address = collection.loops().front().visitor,
                                   .argument = collection.set().objects[heap::SetIndex(object)],
                                   .mark = stop::place,
                                   .own_thread = true}});
}

Actions step_to_decrement(const analysis::RunningCollection& collection,
                          const analysis::SubtractGoal& goal) {
  Actions actions;
  if (goal.spent) {
    actions.push_back(refused(collection, goal));
  }
  actions.push_back({.kind = ActionKind::watch_steps,
                     .address = collection.gc_refs_word(goal.object),
                     .ignore = goal.earlier});
  return stop_inside(collection, std::move(actions));
}

void go_on(session::Surroundings& surroundings, Actions actions, const Continuation& continuation) {
  Action command{.kind = ActionKind::run, .tells_stop = true};
  for (const std::string& word : surroundings.words) {
    if (!word.starts_with(stage_option) && !word.starts_with(object_option) &&
        !word.starts_with(value_option) && !word.starts_with(stop_option)) {
      command.words.push_back(word);
    }
  }
  command.words.push_back(std::string(stage_option) + continuation.stage);
  if (continuation.object != 0) {
    command.words.push_back(fmt::format("{}{:#x}", object_option, continuation.object));
  }
  if (continuation.gc_refs) {
    command.words.push_back(fmt::format("{}{}", value_option, *continuation.gc_refs));
  }
  actions.push_back(std::move(command));
  surroundings.actions = std::move(actions);
}

} // namespace pygc::commands
