#include "common/machine/hardware_watchpoints.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pygc::machine {
namespace {

constexpr unsigned patience_seconds = 2;

// DR7: register 0 on for this task (bit 0), upon writing (bits 16, 17: 01), 8 bytes (bits 18, 19:
// 10).
constexpr std::uintptr_t watch_8_bytes_written = 1U | (1U << 16) | (2U << 18);
constexpr std::uintptr_t register_0_hit = 1;

volatile std::uint64_t watched = 0;

/// Only what is safe between fork and exit of a process that may have had threads.
[[noreturn]] void be_watched() {
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(patience_seconds); // whatever the parent does
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
    ::_exit(1);
  }
  ::raise(SIGSTOP);
  watched = 1;
  ::_exit(0);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return 0;
    }
  }
  return status;
}

bool poke(pid_t child, int number, std::uintptr_t value) {
  const std::size_t offset =
      offsetof(user, u_debugreg) + static_cast<std::size_t>(number) * sizeof(user{}.u_debugreg[0]);
  return ::ptrace(PTRACE_POKEUSER, child, reinterpret_cast<void*>(offset),
                  reinterpret_cast<void*>(value)) == 0;
}

WatchpointProbe no(std::string reason) {
  return {.fires = false, .reason = std::move(reason)};
}

WatchpointProbe watch(pid_t child) {
  int status = wait_for(child);
  if (!WIFSTOPPED(status)) {
    return no("a child of its own cannot be traced");
  }
  if (!poke(child, 0, reinterpret_cast<std::uintptr_t>(&watched)) ||
      !poke(child, 7, watch_8_bytes_written)) {
    return no(std::string("the debug registers cannot be set: ") + std::strerror(errno));
  }
  if (::ptrace(PTRACE_CONT, child, nullptr, nullptr) != 0) {
    return no(std::string("a child of its own cannot be let go on: ") + std::strerror(errno));
  }
  status = wait_for(child);
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
    return no("they are accepted, and do not stop a process");
  }
  errno = 0;
  const long hit = ::ptrace(
      PTRACE_PEEKUSER, child,
      reinterpret_cast<void*>(offsetof(user, u_debugreg) + 6 * sizeof(user{}.u_debugreg[0])),
      nullptr);
  if (errno != 0 || (static_cast<std::uintptr_t>(hit) & register_0_hit) == 0) {
    return no("they do not say which of them has stopped a process");
  }
  return {.fires = true};
}

} // namespace

WatchpointProbe probe_hardware_watchpoints() {
  const pid_t child = ::fork();
  if (child < 0) {
    return no(std::string("no child can be made: ") + std::strerror(errno));
  }
  if (child == 0) {
    be_watched();
  }
  WatchpointProbe probe = watch(child);
  ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return probe;
}

} // namespace pygc::machine
