// The registers of a stopped thread, as the notes of a core keep them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <sys/procfs.h>
#include <sys/types.h>
#include <sys/user.h>

namespace pygc::image {

struct ThreadNotes {
  elf_prstatus status{};         // NT_PRSTATUS
  user_fpregs_struct floating{}; // NT_FPREGSET
};

/// Of a thread that this process traces and that stands still. Nothing when it is gone.
std::optional<ThreadNotes> read_thread_notes(pid_t tid);

} // namespace pygc::image
