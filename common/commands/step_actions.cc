#include "common/commands/step_actions.h"

#include <fmt/format.h>

namespace pygc::commands {
namespace {

using wire::Action;
using wire::ActionKind;

constexpr std::string_view stage_option = "--stage=";
constexpr std::string_view object_option = "--object=";

Actions stop_at(Action action) {
  return {std::move(action), {.kind = ActionKind::resume}, {.kind = ActionKind::clear}};
}

Action watch_gc_refs(const analysis::RunningCollection& collection,
                     const analysis::SubtractGoal& goal) {
  return {.kind = ActionKind::watch_write,
          .address = collection.gc_prev_of(goal.object),
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
  return stop_at({.kind = ActionKind::watch_access, .address = collection.link_to(container)});
}

Actions to_decrement(const analysis::RunningCollection& collection,
                     const analysis::SubtractGoal& goal) {
  return stop_at(watch_gc_refs(collection, goal));
}

Actions to_refused_decrement(const analysis::RunningCollection& collection,
                             const analysis::SubtractGoal& goal) {
  constexpr std::uint64_t least_with_reference = std::uint64_t{1} << heap::prev_shift;
  Actions actions = stop_at(watch_gc_refs(collection, goal));
  actions.insert(actions.begin(), {.kind = ActionKind::breakpoint,
                                   .address = collection.loops().front().visitor,
                                   .argument = collection.set().objects[goal.object],
                                   .word = collection.gc_prev_of(goal.object),
                                   .below = least_with_reference});
  return actions;
}

void go_on(Surroundings& surroundings, Actions actions, const std::string& stage, Address object) {
  Action command{.kind = ActionKind::run};
  for (const std::string& word : surroundings.words) {
    if (!word.starts_with(stage_option) && !word.starts_with(object_option)) {
      command.words.push_back(word);
    }
  }
  command.words.push_back(std::string(stage_option) + stage);
  if (object != 0) {
    command.words.push_back(fmt::format("{}{:#x}", object_option, object));
  }
  actions.push_back(std::move(command));
  surroundings.actions = std::move(actions);
}

} // namespace pygc::commands
