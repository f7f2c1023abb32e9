// Memory that is read rather than mapped: where the file's offset lies on no page boundary, and
// where huge pages pay. Large pieces wait until the analysis has gone on with its own work.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pygc::replayer {

struct Fill {
  std::uint64_t start = 0; // bytes to read
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint64_t first_page = 0; // pages to protect afterwards
  std::uint64_t end_page = 0;
  std::uint32_t protection = 0;
};

/// Reads it now, or puts it off. What lies behind the end of the file, or fd < 0, is zeros.
bool fill(const Fill& piece, int fd);

/// True when something was put off that needs the descriptor; then it must stay open.
bool keep_for_fill(int fd);

/// Reads [start, end) from the file; what lies behind its end stays. False: it cannot be read.
bool read_at(int fd, std::uint64_t offset, std::uint64_t start, std::uint64_t end);

/// What was put off. Returns how many pieces could not be read.
std::uint64_t finish_fills();

} // namespace pygc::replayer
