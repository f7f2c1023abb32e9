// The registers of a stopped thread, as the notes of a core keep them.
#pragma once

#include "common/machine/thread.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/procfs.h>
#include <sys/types.h>

namespace pygc::machine {

struct ThreadNotes {
  elf_prstatus status{};     // NT_PRSTATUS
  elf_fpregset_t floating{}; // NT_FPREGSET
};

/// Of a thread that this process traces and that stands still. Nothing when it is gone.
std::optional<ThreadNotes> read_thread_notes(pid_t tid);

/// A thread from the descriptor of an NT_PRSTATUS note; nothing when it is too short.
std::optional<Thread> thread_from_prstatus(std::span<const std::byte> descriptor);

/// The process id from the descriptor of an NT_PRPSINFO note.
std::optional<std::int64_t> pid_from_prpsinfo(std::span<const std::byte> descriptor);

} // namespace pygc::machine
