// The commands that a debugger defines for its users: the plugin asks the analysis for them, so
// that it knows none itself.
#pragma once

#include "common/base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace pygc::wire {

struct Command {
  std::string name;    // "gc-refs"
  std::string summary; // one line, no period
  std::string help;    // paragraphs that follow the summary; no trailing newline
  /// "-o --output=FILE", "--deep", "--engine=native|emulated"; "=ADDR" for a word of its own.
  std::vector<std::string> options = {};
};

struct CommandTable {
  std::string family;            // one line about pygc as a whole
  std::vector<Command> commands; // in the order in which help lists them
};

/// "--commands=FD": the analysis sends its table as one message of Type::commands to FD and ends.
inline constexpr std::string_view commands_option = "--commands=";

/// Lower-case letters and hyphens, a letter first: safe in a debugger's script.
bool is_command_name(std::string_view name);

std::string encode_commands(const CommandTable& table);
/// Errors: protocol (what is wrong with the table: names, control characters, a line "end", which
/// would end GDB's "document", an option that is none).
Result<CommandTable> decode_commands(std::string_view payload);

/// Starts the executable to ask it. Errors: not_found, permission, io, protocol.
Result<CommandTable> ask_commands(const std::string& executable);

/// For an analysis that could not be asked: `check` and `doctor`, whose help gives the reason. They
/// try to start it again when they are used.
CommandTable commands_without_analysis(const std::string& reason);

} // namespace pygc::wire
