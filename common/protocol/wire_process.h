// A child process that dies with its owner.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <csignal>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pygc::wire {

/// How a child ended.
struct Ending {
  bool known = false; // the debugger may have reaped it before us
  int exit_status = 0;
  int signal = 0; // 0: exited
};

class ChildProcess {
public:
  ChildProcess() = default;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  /// Starts `executable` (searched in PATH when it has no slash) in a process group of its own,
  /// with no standard input or output, `socket` as descriptor `socket_number`, standard error kept.
  /// Errors: not_found, permission, io.
  Result<void> start(const std::string& executable, const std::vector<std::string>& words,
                     int socket, int socket_number);
  /// Gives it `patience_ms` to end by itself, then kills it and whatever it started.
  Ending end(int patience_ms);
  /// The last lines it wrote to standard error, since forget_last_words().
  std::string last_words() const;
  void forget_last_words();

private:
  bool wait_status(siginfo_t& info, int options) const;

  pid_t pid_ = -1;
  pid_t owner_ = -1; // who started it, not a child that the debugger has forked since
  UniqueFd handle_;  // a pidfd, where the kernel has them: the number may come to be another's
  UniqueFd stderr_;
  off_t forgotten_ = 0; // bytes of standard error
};

} // namespace pygc::wire
