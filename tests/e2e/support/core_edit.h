// Reads and patches words of a core file at addresses of the process it was taken of.
#pragma once

#include "tests/e2e/support/interpreter.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::e2e {

class CoreFile {
public:
  explicit CoreFile(const std::string& path);

  std::uint64_t word(std::uint64_t address) const;
  /// Writes to the file at once.
  void set_word(std::uint64_t address, std::uint64_t value) const;
  /// An address that no segment of the core covers.
  std::uint64_t unmapped_address() const;
  /// The file offset where the saved bytes of the address lie; throws when there are none.
  std::uint64_t offset_of(std::uint64_t address) const;
  /// The offset behind the last saved byte of the largest segment's middle: a place to truncate at.
  std::uint64_t middle_of_largest_segment() const;

private:
  struct Segment {
    std::uint64_t start = 0;
    std::uint64_t saved = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
  };
  std::string path_;
  std::vector<Segment> segments_;
};

/// A copy of a core in a directory of its own.
Core copy_of(const Core& core);

} // namespace pygc::e2e
