#include "common/protocol/wire_actions.h"

#include "common/base/numbers.h"
#include "common/machine/machine.h"
#include "common/protocol/wire_commands.h"

#include <algorithm>

namespace pygc::wire {
namespace {

bool is_printable(const std::string& word) {
  return std::ranges::all_of(
      word, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

} // namespace

bool is_sound(const Action& action) {
  const bool breaks = action.kind == ActionKind::breakpoint;
  const bool watches = action.kind == ActionKind::watch_access ||
                       action.kind == ActionKind::watch_write ||
                       action.kind == ActionKind::watch_steps;
  const bool conditional = action.argument != 0 || action.word != 0 || action.below != 0;
  if ((breaks || watches) != (action.address != 0) || (action.word != 0) != (action.below != 0) ||
      (action.word != 0 && action.argument == 0) || (conditional && !breaks) ||
      (action.ignore != 0 && (!(breaks || watches) || conditional)) ||
      ((action.mark != 0 || action.own_thread) && !breaks) ||
      (action.tells_stop && action.kind != ActionKind::run)) {
    return false;
  }
  if (action.kind != ActionKind::run) {
    return action.words.empty();
  }
  return !action.words.empty() && is_command_name(action.words.front()) &&
         std::ranges::all_of(action.words, is_printable);
}

std::string condition_of(const Action& action) {
  if (action.argument == 0) {
    return {};
  }
  std::string text =
      std::string("$") + machine::first_argument_name + " == " + hex(action.argument);
  if (action.word != 0) {
    text += " && *(unsigned long *) " + hex(action.word) + " < " + hex(action.below);
  }
  return text;
}

} // namespace pygc::wire
