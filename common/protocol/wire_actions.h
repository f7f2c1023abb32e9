// What an analysis may have the debugger do once its output is shown: a few kinds of steps, each
// with numbers only. A plugin translates them; no text of the analysis becomes a debugger's
// command.
#pragma once

#include "common/base/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::wire {

enum class ActionKind : std::uint8_t {
  breakpoint,   // at the instruction at `address`
  watch_access, // of the 8 bytes at `address`, for reading or writing
  watch_write,  // of the 8 bytes at `address`, for writing
  watch_steps,  // of the 8 bytes at `address`, for a change: by stepping instructions
  resume,       // let the process run until it stops
  clear,        // remove every breakpoint and watchpoint that these actions have set
  run,          // run another command of pygc
};

// GCC warns of members that an initializer leaves out.
// NOLINTBEGIN(readability-redundant-member-init)

struct Action {
  ActionKind kind = ActionKind::clear;
  Address address = 0;
  /// Of a breakpoint: stop only in a call whose first argument is this; 0: always.
  Address argument = 0;
  /// Of a breakpoint with an argument: and only when the 8 bytes at `word` are below `below`.
  Address word = 0;
  std::uint64_t below = 0;
  /// Of a watchpoint, or of a breakpoint without an argument: so many hits are let pass.
  std::uint64_t ignore = 0;
  /// Of a breakpoint: what `tells_stop` says when it has stopped the process; 0: as for any other.
  std::uint8_t mark = 0;
  /// Of a breakpoint: stops the selected thread only.
  bool own_thread = false;
  /// Of `run`: a word "--stop=MARK" is added, of the breakpoint that has stopped the process last;
  /// 0: something else has.
  bool tells_stop = false;
  std::vector<std::string> words = {}; // of `run`: the command's name and its arguments
};

// NOLINTEND(readability-redundant-member-init)

/// How many of them one command may ask for.
inline constexpr std::size_t max_actions = 64;

/// True when the action is complete and has nothing that its kind does not use.
bool is_sound(const Action& action);

/// The condition of a breakpoint, as GDB and LLDB both understand it in C; empty: none.
std::string condition_of(const Action& action);

} // namespace pygc::wire
