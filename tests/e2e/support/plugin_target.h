// For the tests of the plugins: a target that is no Python, and an analysis that does as it is told
// (fake_analysis.cc).
#pragma once

#include "tests/e2e/support/front_ends.h"

#include <string>
#include <vector>

namespace pygc::e2e {

/// The environment in which the plugins start the fake analysis.
std::vector<std::string> with_fake_analysis();

/// A kernel core of a program with two threads that aborted, and the program.
struct PluginTarget {
  PluginTarget();
  TempDir directory;
  std::string core;
  std::string executable;

  DebuggerTarget debugger_target() const { return {.executable = executable, .core = core}; }
};

/// Waits until the analysis hangs ("pygc check hang FILE"); its pid.
pid_t wait_for_hanging(const std::string& file);

/// True once no such process is left (zombies count as gone); waits for some seconds.
bool process_ends(pid_t pid);

} // namespace pygc::e2e
