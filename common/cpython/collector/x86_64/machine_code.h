// What the searches in the interpreter's machine code share.
#pragma once

#include "common/image/module.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pygc::cpython {

/// Larger executable segments are not looked through.
inline constexpr std::size_t code_limit = std::size_t{256} << 20;

/// Whether the address lies in an executable segment of the module.
inline bool in_code(const image::Module& module, Address address) {
  return std::ranges::any_of(module.code(),
                             [&](const image::Range& range) { return range.contains(address); });
}

/// An immediate or a displacement of 32 bits.
inline std::int32_t word_at(const unsigned char* at) {
  std::int32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

} // namespace pygc::cpython
