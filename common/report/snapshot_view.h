// The two views of a snapshot that was written.
#pragma once

#include "common/report/kit/subject.h"

#include <cstdint>
#include <string>

namespace pygc::report {

struct WrittenSnapshot {
  std::string path;
  std::uint64_t bytes = 0;      // of the file
  std::uint64_t disk_bytes = 0; // of them on the disk: holes take none
  std::uint64_t unreadable = 0; // bytes of the process that count as zeros
};

/// One document of schema pygc.snapshot/1.
std::string snapshot_json(const Subject& subject, const WrittenSnapshot& snapshot);

std::string snapshot_text(const WrittenSnapshot& snapshot);

} // namespace pygc::report
