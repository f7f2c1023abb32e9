#include "replayer/native/sandbox.h"

#include "replayer/native/demand.h"
#include "replayer/native/machine.h"
#include "replayer/shared/privileges.h"

#include <array>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

using replay::protocol::control_fd;
using replay::protocol::LockFailure;

constexpr std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
constexpr std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

constexpr sock_filter statement(std::uint16_t code, std::uint32_t k) {
  return {code, 0, 0, k};
}
constexpr sock_filter jump(std::uint16_t code, std::uint32_t k, std::uint8_t yes, std::uint8_t no) {
  return {code, yes, no, k};
}

template <class T> std::uint64_t address_of(const T& object) {
  return reinterpret_cast<std::uint64_t>(&object);
}

// Only from our own text, only these calls, reads and writes only on the control socket (little
// endian: the low word of an argument comes first).
std::int64_t install_filter() {
  constexpr std::uint16_t load = BPF_LD | BPF_W | BPF_ABS;
  constexpr std::uint16_t equal = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr std::uint16_t at_least = BPF_JMP | BPF_JGE | BPF_K;
  constexpr std::uint16_t answer = BPF_RET | BPF_K;
  constexpr std::uint32_t pc = offsetof(seccomp_data, instruction_pointer);
  constexpr std::uint32_t argument = offsetof(seccomp_data, args);
  const machine::TextRange text = machine::own_text();

  const std::array filter{
      statement(load, offsetof(seccomp_data, arch)),
      jump(equal, machine::audit_architecture(), 0, 15),
      statement(load, pc + 4),
      jump(equal, high(text.start), 0, 13),
      statement(load, pc),
      jump(at_least, low(text.start), 0, 11),
      jump(at_least, low(text.end), 10, 0),
      statement(load, offsetof(seccomp_data, nr)),
      jump(equal, SYS_rt_sigreturn, 9, 0),
      jump(equal, SYS_exit_group, 8, 0),
      jump(equal, has_demand() ? SYS_mprotect : SYS_exit_group, 7, 0),
      jump(equal, SYS_read, 1, 0),
      jump(equal, SYS_write, 0, 4),
      statement(load, argument + 4),
      jump(equal, 0, 0, 2),
      statement(load, argument),
      jump(equal, control_fd, 1, 0),
      statement(answer, SECCOMP_RET_TRAP),
      statement(answer, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  // Without SPEC_ALLOW older kernels turn on costly mitigations, for a process that holds nothing
  // but the target's memory.
  return machine::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                          address_of(program));
}

std::int64_t limit(int resource, std::uint64_t value) {
  rlimit bounds{};
  machine::syscall(SYS_prlimit64, 0, static_cast<std::uint64_t>(resource), 0, address_of(bounds));
  value = value < bounds.rlim_max ? value : bounds.rlim_max;
  bounds = {value, value};
  return machine::syscall(SYS_prlimit64, 0, static_cast<std::uint64_t>(resource),
                          address_of(bounds), 0);
}

LockResult failed(LockFailure failure, std::int64_t result) {
  return {failure, static_cast<int>(-result)};
}

} // namespace

void die_with_parent(int parent) {
  machine::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that call.
  if (machine::syscall(SYS_getppid) != parent) {
    machine::exit_process(replay::protocol::exit_done);
  }
}

LockResult check_sandbox() {
  if (const auto r = machine::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1); r < 0) {
    return failed(LockFailure::no_new_privileges, r);
  }
  constexpr std::uint32_t action = SECCOMP_RET_TRAP;
  if (const auto r = machine::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, address_of(action));
      r < 0) {
    return failed(LockFailure::seccomp, r);
  }
  return {};
}

LockResult enter_sandbox(int parent) {
  constexpr std::uint32_t all = ~std::uint32_t{0};
  if (const auto r = machine::syscall(SYS_close_range, control_fd + 1, all, 0); r < 0) {
    return failed(LockFailure::descriptors, r);
  }
  for (std::uint64_t fd = 0; fd < control_fd; ++fd) {
    machine::syscall(SYS_close, fd);
  }
  give_up_privileges();
  die_with_parent(parent);
  if (const auto r = machine::syscall(SYS_prctl, PR_SET_DUMPABLE, 0); r < 0) {
    return failed(LockFailure::no_new_privileges, r);
  }
  // What is mapped stays; nothing is added to it.
  if (const auto r = limit(RLIMIT_AS, 0); r < 0) {
    return failed(LockFailure::limits, r);
  }
  for (const ResourceBound& bound : resource_bounds) {
    if (const auto r = limit(bound.resource, bound.value); r < 0) {
      return failed(LockFailure::limits, r);
    }
  }
  if (const auto r = install_filter(); r < 0) {
    return failed(LockFailure::seccomp, r);
  }
  return {};
}

} // namespace pygc::replayer
