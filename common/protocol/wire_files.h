// Finds, among what a debugger's process has open, the files behind its target: a core, a process's
// memory, an executable. The plugins hand them to the analysis, so that memory need not travel.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pygc::wire {

struct OpenFile {
  UniqueFd fd;      // our own open file description: reading it never disturbs the debugger
  std::string path; // as the kernel names it
};

/// ELF cores that this process has open or mapped, each once.
std::vector<OpenFile> find_cores();
/// ELF executables (not shared libraries) that this process has open, each once.
std::vector<OpenFile> find_executables();
/// The processes whose memory (/proc/PID/mem) this process has open, each once.
std::vector<std::int64_t> find_traced_processes();

/// Reads target memory through the debugger, all or nothing.
using Read = std::function<bool(Address address, std::byte* to, std::size_t size)>;

/// True when the core is the one the debugger shows: one of its threads, if it has any, stopped at
/// this pc and sp, and samples of its segments equal what `read` gives.
bool core_is_target(int core, Address pc, Address sp, const Read& read);

/// /proc/PID/mem, opened by this process, if what it says around sp, and at samples of its writable
/// memory, equals what `read` gives.
UniqueFd open_process_memory(std::int64_t pid, Address sp, const Read& read);

} // namespace pygc::wire
