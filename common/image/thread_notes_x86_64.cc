#include "common/image/thread_notes_x86_64.h"

#include <cstring>
#include <sys/ptrace.h>

namespace pygc::image {

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

} // namespace pygc::image
