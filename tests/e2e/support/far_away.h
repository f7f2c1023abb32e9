// A process as on another machine.
#pragma once

#include "tests/e2e/support/processes.h"

namespace pygc::e2e {

/// A script and an lldb-server's platform in a PID namespace of their own: as on another machine,
/// the debugger cannot open the process's memory.
class FarAway {
public:
  static bool is_possible(); // namespaces need root
  explicit FarAway(const CoreRequest& request);

  /// Its pid there, once it has printed READY; 0: it has not.
  pid_t wait_for_script();
  /// Its pid here; 0: it is not to be found.
  pid_t pid_here() const { return process_in_namespace(child_.pid(), pid_); }
  /// LLDB's commands.
  Commands attach() const;

private:
  std::string port_;
  const InterpreterBuild& build_;
  Child child_;
  pid_t pid_ = 0;
};

} // namespace pygc::e2e
