// A child process that dies with its owner.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

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
  /// The last lines it wrote to standard error.
  std::string last_words() const;

private:
  pid_t pid_ = -1;
  UniqueFd stderr_;
};

} // namespace pygc::wire
