#include "common/target/live/stopped_process.h"

#include "common/base/numbers.h"
#include "common/target/live/ptrace_refusal.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <memory>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <utility>

namespace pygc::target {
namespace {

using Clock = std::chrono::steady_clock;

// A thread in uninterruptible sleep (a dead file server) does not stop.
constexpr std::chrono::seconds patience{5};
constexpr long poll_nanoseconds = 20'000;

std::vector<pid_t> tasks_of(pid_t pid) {
  std::vector<pid_t> tasks;
  const std::string path = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) {
    return tasks;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (const auto tid = number_in<pid_t>(name)) {
      tasks.push_back(*tid);
    }
  }
  return tasks;
}

} // namespace

StoppedProcess::StoppedProcess(StoppedProcess&& other) noexcept
    : pid_(other.pid_), threads_(std::exchange(other.threads_, {})), stopped_at_(other.stopped_at_),
      stopping_(std::exchange(other.stopping_, false)), seconds_(other.seconds_) {}

/// True when there were new ones.
Result<bool> StoppedProcess::attach_new_threads() {
  bool found = false;
  for (const pid_t tid : tasks_of(pid_)) {
    if (std::ranges::find(threads_, tid, &Thread::tid) != threads_.end()) {
      continue;
    }
    // Seized, not attached: no SIGSTOP is sent, and nothing is left pending.
    if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) {
      const int code = errno;
      if (code == ESRCH && tid != pid_) {
        continue; // it has just ended
      }
      return std::unexpected(ptrace_refusal(pid_, code));
    }
    threads_.push_back({.tid = tid});
    found = true;
  }
  return found;
}

Result<StoppedProcess> StoppedProcess::attach(pid_t pid) {
  StoppedProcess process(pid);
  const auto found = process.attach_new_threads();
  if (!found) {
    return std::unexpected(found.error());
  }
  if (!*found) {
    return std::unexpected(ptrace_refusal(pid, ESRCH));
  }
  return process;
}

Result<void> StoppedProcess::wait_for(Thread& thread, const std::function<bool()>& cancelled) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    int status = 0;
    const pid_t got = ::waitpid(thread.tid, &status, __WALL | WNOHANG);
    if (got == thread.tid) {
      if (!WIFSTOPPED(status)) {
        thread.gone = true;
      } else if (status >> 16 != PTRACE_EVENT_STOP) {
        thread.signal = WSTOPSIG(status);
      }
      thread.stopped = true;
      return {};
    }
    if (got < 0 && errno != EINTR) {
      thread.gone = true;
      return {};
    }
    if (cancelled()) {
      return fail(ErrorKind::cancelled, 0, "interrupted");
    }
    if (Clock::now() > deadline) {
      return fail(ErrorKind::io, 0,
                  "thread " + std::to_string(thread.tid) + " of process " + std::to_string(pid_) +
                      " does not stop: it sleeps in the kernel");
    }
    const timespec pause{.tv_sec = 0, .tv_nsec = poll_nanoseconds};
    ::nanosleep(&pause, nullptr);
  }
}

Result<void> StoppedProcess::stop(const std::function<bool()>& cancelled) {
  stopping_ = true;
  stopped_at_ = Clock::now();
  for (bool more = true; more;) {
    for (const Thread& thread : threads_) {
      if (!thread.stopped) {
        ::ptrace(PTRACE_INTERRUPT, thread.tid, nullptr, nullptr);
      }
    }
    for (Thread& thread : threads_) {
      if (thread.stopped) {
        continue;
      }
      if (auto waited = wait_for(thread, cancelled); !waited) {
        return waited;
      }
    }
    const auto found = attach_new_threads();
    if (!found) {
      return std::unexpected(found.error());
    }
    more = *found;
  }
  if (threads().empty()) {
    return fail(ErrorKind::not_found, 0, "process " + std::to_string(pid_) + " has ended");
  }
  return {};
}

void StoppedProcess::resume() {
  for (Thread& thread : threads_) {
    if (!thread.stopped && !thread.gone) {
      // Only a thread that stands still can be detached from.
      ::ptrace(PTRACE_INTERRUPT, thread.tid, nullptr, nullptr);
    }
  }
  for (Thread& thread : threads_) {
    if (!thread.stopped && !thread.gone && !wait_for(thread, [] { return false; })) {
      continue; // it does not stop: the kernel detaches from it when we end
    }
    if (!thread.gone) {
      ::ptrace(PTRACE_DETACH, thread.tid, nullptr,
               reinterpret_cast<void*>(static_cast<std::intptr_t>(thread.signal)));
    }
  }
  threads_.clear();
  if (std::exchange(stopping_, false)) {
    seconds_ = std::chrono::duration<double>(Clock::now() - stopped_at_).count();
  }
}

std::vector<pid_t> StoppedProcess::threads() const {
  std::vector<pid_t> all;
  for (const Thread& thread : threads_) {
    if (thread.stopped && !thread.gone) {
      all.push_back(thread.tid);
    }
  }
  const auto first = std::ranges::find(all, pid_);
  if (first != all.end()) {
    std::rotate(all.begin(), first, first + 1);
  }
  return all;
}

} // namespace pygc::target
