// All threads of a process held still by ptrace, for as short as possible.
#pragma once

#include "common/base/error.h"

#include <chrono>
#include <functional>
#include <sys/types.h>
#include <vector>

namespace pygc::target {

/// Nothing of the process is changed. It goes on when the object goes, and also when this process
/// is killed. Only the thread that made the object may use it.
class StoppedProcess {
public:
  /// Attaches to the threads of the process, which run on. Errors: not_found, permission (says what
  /// is missing and how to get it), io.
  static Result<StoppedProcess> attach(pid_t pid);

  StoppedProcess(StoppedProcess&& other) noexcept;
  StoppedProcess& operator=(StoppedProcess&&) = delete;
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;
  ~StoppedProcess() { resume(); }

  /// Stops all threads, also those that are made meanwhile. Errors: cancelled, permission, io (a
  /// thread that does not stop, or the process ended).
  Result<void> stop(const std::function<bool()>& cancelled);
  /// Lets the process go on and detaches from it.
  void resume();

  /// The threads that stand still, the process's first one first.
  std::vector<pid_t> threads() const;
  /// How long it stood still, from the first thread's stop to the end of resume().
  double seconds() const { return seconds_; }

private:
  struct Thread {
    pid_t tid = 0;
    bool stopped = false;
    bool gone = false;
    int signal = 0; // about to be delivered when it stopped: it gets it when it goes on
  };

  explicit StoppedProcess(pid_t pid) : pid_(pid) {}
  Result<bool> attach_new_threads();
  Result<void> wait_for(Thread& thread, const std::function<bool()>& cancelled);

  pid_t pid_ = 0;
  std::vector<Thread> threads_;
  std::chrono::steady_clock::time_point stopped_at_;
  bool stopping_ = false;
  double seconds_ = 0;
};

} // namespace pygc::target
