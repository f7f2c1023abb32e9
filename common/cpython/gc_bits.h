// Bits of ob_gc_bits, which free-threaded builds have in place of a PyGC_Head
// (Include/internal/pycore_gc.h).
#pragma once

#include <cstdint>

namespace pygc::cpython::gc_bits {

inline constexpr std::uint8_t tracked = 1;
inline constexpr std::uint8_t finalized = 2;   // tp_finalize has been called
inline constexpr std::uint8_t unreachable = 4; // while a collection is at work: not yet found
inline constexpr std::uint8_t frozen = 8;      // by gc.freeze()
inline constexpr std::uint8_t deferred = 64;   // references of running frames are not counted

} // namespace pygc::cpython::gc_bits
