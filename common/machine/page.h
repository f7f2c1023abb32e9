// The page, whose size only the kernel knows.
#pragma once

#include <cstdint>

namespace pygc::machine {

/// Bytes, a power of two; asked of the kernel once. The native replayer has no C library to ask,
/// and defines this itself.
std::uint64_t page_size();

inline std::uint64_t page_down(std::uint64_t value) {
  return value & ~(page_size() - 1);
}
/// The next page boundary; user-space values only, so that nothing wraps.
inline std::uint64_t page_up(std::uint64_t value) {
  return page_down(value + page_size() - 1);
}

} // namespace pygc::machine
