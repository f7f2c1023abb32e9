// Running processes, the ways to look at them, and cores of the same moment to compare with.
#pragma once

#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/interpreter.h"
#include "tests/e2e/support/oracle.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pygc::e2e {

/// `pygc check --pid N --json WORDS...`
Check check_process(pid_t pid, const std::vector<std::string>& words = {});

/// A core that GDB takes of the script now.
Core core_of(const RunningScript& script, const InterpreterBuild& build);

/// All that does not depend on how the target was reached is the same.
void expect_same_check(const nlohmann::json& actual, const nlohmann::json& expected);

/// What `pygc check` and `pygc gc-refs` say of one stop.
struct Reading {
  nlohmann::json check;
  References references;
  Outcome outcome; // of the debugger, or of the last command
};
void expect_same(const Reading& actual, const Reading& expected);

/// Runs the two commands with what they are to write to, in a debugger or alone.
using Commands = std::vector<std::string>;
Reading read_with(const std::function<Outcome(const Commands& pygc)>& run,
                  const InterpreterBuild& build);

Reading read_core(const Core& core);
Reading read_process(pid_t pid, const InterpreterBuild& build);
/// In GDB, after the commands; others may follow.
Reading read_in_gdb(const InterpreterBuild& build, Commands before, const Commands& after = {});
Reading read_in_lldb(const InterpreterBuild& build, Commands before);

/// The process is there, and nobody traces or stops it.
bool runs_freely(pid_t pid);
/// A field of /proc/PID/status.
std::string status_field(pid_t pid, const std::string& name);

/// Where the memory in two snapshots of a process differs; empty when it does not.
std::string changed_memory(const std::string& before, const std::string& after);

/// The process of this session that has the number in a PID namespace below ours; 0 when there is
/// none.
pid_t process_in_namespace(pid_t session, pid_t inner);

/// A TCP port that was free a moment ago.
int free_port();

/// A gdbserver on a port of this machine ("PORT" in the words).
class Gdbserver {
public:
  explicit Gdbserver(std::vector<std::string> words);
  /// GDB's commands; it waits until the server listens. `kind`: "remote" or "extended-remote".
  Commands connect(const std::string& kind) const;

private:
  std::string address_;
  std::unique_ptr<Child> child_;
};

} // namespace pygc::e2e
