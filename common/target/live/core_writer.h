// The parts of an ELF core that are not memory: headers and notes, as debuggers read them too.
#pragma once

#include "common/machine/page.h"
#include "common/machine/thread_notes.h"
#include "common/target/live/snapshot_plan.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::target {

/// What the notes say of a process.
struct CoreProcess {
  elf_prpsinfo info{};
  std::vector<machine::ThreadNotes> threads; // the one that a debugger is to select first
  std::string auxiliary;                     // the bytes of /proc/PID/auxv
};

struct CoreFrame {
  std::vector<std::byte> head; // at offset 0, at most core_head_size
  std::vector<std::byte> tail; // behind the segments, at SnapshotPlan::end
};

/// The segments begin here, so that they can be written before the number of threads is known.
inline std::uint64_t core_head_size() {
  return machine::page_size();
}

CoreFrame frame_core(const SnapshotPlan& plan, const CoreProcess& process);

} // namespace pygc::target
