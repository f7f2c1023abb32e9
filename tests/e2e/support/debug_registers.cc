#include "tests/e2e/support/debug_registers.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdexcept>
#include <string_view>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pygc::e2e {
namespace {

constexpr std::size_t registers_at = offsetof(user, u_debugreg);
constexpr std::size_t registers_end = registers_at + sizeof(user::u_debugreg);

constexpr std::size_t register_at(std::size_t number) {
  return registers_at + number * sizeof(std::uint64_t);
}

// DR7: watchpoint 0 enabled for the process, at writes, of eight bytes.
constexpr std::uint64_t watch_writes_of_a_word = 0x1U | 0x1U << 16U | 0x2U << 18U;

volatile std::uint64_t watched = 0;

[[noreturn]] void write_under_trace() {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
    ::_exit(1);
  }
  ::raise(SIGSTOP);
  watched = 1;
  ::_exit(0);
}

bool poke(pid_t pid, std::size_t offset, std::uint64_t value) {
  return ::ptrace(PTRACE_POKEUSER, pid, offset, value) == 0;
}

/// Where the process is next: stopped or ended.
int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

} // namespace

bool hardware_watchpoints_fire() {
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw std::runtime_error("no process");
  }
  if (pid == 0) {
    write_under_trace();
  }
  if (!WIFSTOPPED(wait_for(pid))) {
    throw std::runtime_error("the process cannot be traced");
  }
  const bool set = poke(pid, register_at(0), reinterpret_cast<std::uint64_t>(&watched)) &&
                   poke(pid, register_at(7), watch_writes_of_a_word);
  ::ptrace(PTRACE_CONT, pid, nullptr, nullptr);
  const int status = wait_for(pid);
  const bool fired = set && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
  if (!WIFEXITED(status)) {
    ::kill(pid, SIGKILL);
    wait_for(pid);
  }
  return fired;
}

bool ignore_debug_registers() {
  constexpr std::uint16_t load = BPF_LD | BPF_W | BPF_ABS;
  constexpr std::uint16_t equal = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr std::uint16_t at_least = BPF_JMP | BPF_JGE | BPF_K;
  constexpr std::uint16_t answer = BPF_RET | BPF_K;
  constexpr std::uint32_t request = offsetof(seccomp_data, args);
  constexpr std::uint32_t offset = request + 2 * sizeof(std::uint64_t);
  // Little endian: the low word of an argument comes first.
  std::array<sock_filter, 9> filter{{
      {load, 0, 0, offsetof(seccomp_data, nr)},
      {equal, 0, 6, SYS_ptrace},
      {load, 0, 0, request},
      {equal, 0, 4, PTRACE_POKEUSER},
      {load, 0, 0, offset},
      {at_least, 0, 2, registers_at},
      {at_least, 1, 0, registers_end},
      {answer, 0, 0, SECCOMP_RET_ERRNO}, // the number 0: it went well
      {answer, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  const auto install = [&] { return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program); };
  // Without privileges a filter is only for those that cannot get any.
  return install() == 0 || (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && install() == 0);
}

bool debug_registers_are_off() {
  const char* said = std::getenv("PYGC_TEST_DEBUG_REGISTERS");
  return said != nullptr && std::string_view(said) == "off";
}

} // namespace pygc::e2e
