// A debugger that a test types to, command after command, with the plugin loaded.
#pragma once

#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/live.h"

#include <string>
#include <vector>

namespace pygc::e2e {

class TypedDebugger {
public:
  explicit TypedDebugger(Debugger debugger, const std::vector<std::string>& first = {},
                         const std::vector<std::string>& env = {});

  pid_t pid() const { return child_.pid(); }
  void type(const std::string& line) { child_.type(line); }
  /// Until all that was typed before is done; the lines of standard output since the last time.
  /// Throws when that takes more than a minute.
  std::vector<std::string> wait();
  /// Types it and waits.
  std::vector<std::string> run(const std::string& line);
  void send(int signal) const { child_.send(signal); }
  Outcome quit();
  Outcome wait_for_end();

  /// The debugger's commands that open what is named.
  std::string open_core(const Core& core) const;
  std::string attach(pid_t pid) const;
  /// Writes eight bytes of a process's memory.
  std::string write_word(std::uint64_t address, std::uint64_t value) const;

private:
  Debugger debugger_;
  Child child_;
  int marks_ = 0;
  std::size_t seen_ = 0; // lines
};

/// The pygc processes that the debugger has started and that live.
std::vector<pid_t> analyses_of(pid_t debugger);

} // namespace pygc::e2e
