// What the notes of a core say of the process: threads, mapped files, pid, auxiliary vector.
#pragma once

#include "common/elf/elf_headers.h"
#include "common/target/target.h"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace pygc::target {

struct CoreNotes {
  std::vector<Thread> threads;                      // the one that stopped the process first
  std::vector<FileMapping> mappings;                // sorted, not overlapping
  std::map<std::uint64_t, std::uint64_t> auxiliary; // AT_* to value
  std::int64_t pid = 0;
};

/// Adds what the notes in `bytes` say. What does not parse is left out.
void read_core_notes(std::span<const std::byte> bytes, CoreNotes& notes);

/// Puts the threads and mappings in order once all notes are read.
void finish_core_notes(CoreNotes& notes);

} // namespace pygc::target
