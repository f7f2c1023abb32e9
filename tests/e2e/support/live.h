// Interpreters that a debugger runs: up to the SIGUSR1 that a script sends itself, and then on.
#pragma once

#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/interpreter.h"

#include <string>
#include <vector>

namespace pygc::e2e {

enum class Debugger { gdb, lldb };
inline const char* debugger_name(Debugger debugger) {
  return debugger == Debugger::gdb ? "gdb" : "lldb";
}
inline void PrintTo(Debugger debugger, std::ostream* out) {
  *out << debugger_name(debugger);
}

/// The commands in the debugger that is named, as run_in_gdb() and run_in_lldb().
inline Outcome run_in(Debugger debugger, const DebuggerTarget& target,
                      const std::vector<std::string>& commands,
                      const std::vector<std::string>& env = {}) {
  return debugger == Debugger::gdb ? run_in_gdb(target, commands, env)
                                   : run_in_lldb(target, commands, env);
}

struct LiveRequest {
  Debugger debugger = Debugger::gdb;
  const InterpreterBuild* build = nullptr;
  std::string script;                  // a file in tests/e2e/scripts
  std::vector<std::string> words = {}; // its arguments
  std::vector<std::string> commands;   // after the signal; one that fails is not the end
  std::vector<std::string> env = {};   // of the debugger, hence of pygc
};

/// Runs the script in the debugger, with the plugin loaded, and the commands when it has stopped.
Outcome run_live(const LiveRequest& request);

/// The numbers of the lines "NAME NUMBER" that a script printed. Throws when there is none.
std::vector<std::uint64_t> printed_numbers(const std::string& said, const std::string& name);

} // namespace pygc::e2e
