// pygc as users start it: alone, in GDB, in LLDB.
#pragma once

#include "tests/e2e/support/interpreter.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pygc::e2e {

/// `pygc WORDS...`; throws when it writes a JSON document that does not keep to its schema.
Outcome run_pygc(const std::vector<std::string>& words, const std::vector<std::string>& env = {});

/// What a debugger is to open: a core and its executable (either may be empty).
struct DebuggerTarget {
  std::string executable;
  std::string core;
  std::string debugger = {}; // which GDB or LLDB; empty: the one of this machine
};

DebuggerTarget target_of(const Core& core);

/// `gdb -nx -batch` with the plugin loaded; the commands run one after the other.
Outcome run_in_gdb(const DebuggerTarget& target, const std::vector<std::string>& commands,
                   const std::vector<std::string>& env = {});
/// The same in LLDB's batch mode (which stops at the first command that fails).
Outcome run_in_lldb(const DebuggerTarget& target, const std::vector<std::string>& commands,
                    const std::vector<std::string>& env = {});

/// One answer of `pygc check --json`.
struct Check {
  int status = -1; // of the command, whatever carries it
  nlohmann::json document;
  Outcome outcome; // of the process: pygc or the debugger
};

/// Throws, with all that the process said, when there is no JSON document.
Check check_alone(const Core& core, const std::vector<std::string>& words = {},
                  const std::vector<std::string>& env = {});
Check check_in_gdb(const Core& core, const std::vector<std::string>& env = {});
Check check_in_lldb(const Core& core, const std::vector<std::string>& env = {});

/// The JSON document in a text; throws, with all that the process said, when there is none or it
/// does not keep to its schema. For every document of pygc that a test reads.
nlohmann::json parse_document(const std::string& text, const Outcome& outcome);

/// The findings of a kind.
std::vector<nlohmann::json> findings_of(const nlohmann::json& document, const std::string& kind);

/// "0x1234" or a decimal number, as JSON and scripts give addresses.
std::uint64_t to_address(const std::string& text);
std::string to_hex(std::uint64_t address);

std::string read_file(const std::string& path);

} // namespace pygc::e2e
