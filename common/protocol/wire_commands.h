// The commands of pygc, once for all front ends: the plugins define them in their debugger and show
// these texts as help; the executable's option parser takes its descriptions from here.
#pragma once

#include <span>
#include <string_view>

namespace pygc::wire {

struct Command {
  const char* name;
  const char* summary; // one line, no period
  const char* help;    // paragraphs that follow the summary; no trailing newline
};

inline constexpr const char* family_summary =
    "Inspect the objects that CPython's garbage collector tracks";

/// In the order in which help lists them.
std::span<const Command> commands();

/// nullptr when there is no such command.
const Command* find_command(std::string_view name);

} // namespace pygc::wire
