#include "common/machine/thread_notes.h"

#include <cstring>
#include <sys/ptrace.h>
#include <sys/user.h>

namespace pygc::machine {

std::optional<ThreadNotes> read_thread_notes(pid_t tid) {
  ThreadNotes notes;
  user_regs_struct general{};
  if (::ptrace(PTRACE_GETREGS, tid, nullptr, &general) != 0 ||
      ::ptrace(PTRACE_GETFPREGS, tid, nullptr, &notes.floating) != 0) {
    return std::nullopt;
  }
  notes.status.pr_pid = tid;
  notes.status.pr_fpvalid = 1;
  static_assert(sizeof general == sizeof notes.status.pr_reg);
  std::memcpy(&notes.status.pr_reg, &general, sizeof general);
  return notes;
}

std::optional<Thread> thread_from_prstatus(std::span<const std::byte> descriptor) {
  elf_prstatus status;
  if (descriptor.size() < sizeof status) {
    return std::nullopt;
  }
  std::memcpy(&status, descriptor.data(), sizeof status);
  user_regs_struct regs;
  static_assert(sizeof regs == sizeof status.pr_reg);
  std::memcpy(&regs, &status.pr_reg, sizeof regs);

  Thread thread;
  thread.tid = static_cast<std::uint64_t>(status.pr_pid);
  thread.signal = status.pr_cursig;
  thread.registers = {regs.rax, regs.rdx, regs.rcx, regs.rbx, regs.rsi, regs.rdi,
                      regs.rbp, regs.rsp, regs.r8,  regs.r9,  regs.r10, regs.r11,
                      regs.r12, regs.r13, regs.r14, regs.r15, regs.rip};
  thread.pc = regs.rip;
  thread.sp = regs.rsp;
  thread.thread_pointer = regs.fs_base;
  return thread;
}

std::optional<std::int64_t> pid_from_prpsinfo(std::span<const std::byte> descriptor) {
  elf_prpsinfo info;
  if (descriptor.size() < sizeof info) {
    return std::nullopt;
  }
  std::memcpy(&info, descriptor.data(), sizeof info);
  return info.pr_pid;
}

} // namespace pygc::machine
