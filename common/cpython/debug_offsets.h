// _Py_DebugOffsets: what a target of 3.13 or later says of its own layout.
#pragma once

#include "common/base/error.h"
#include "common/image/address_space.h"

#include <cstdint>
#include <optional>

namespace pygc::cpython {

/// Mirrors the head of struct _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h, 3.13+; in
/// 3.13 pycore_runtime.h). Byte offsets.
struct DebugOffsets {
  std::uint32_t hexversion = 0;
  bool free_threaded = false;
  std::uint64_t runtime_size = 0;
  std::uint64_t interpreters_head = 0;
  std::uint64_t interpreter_size = 0;
  std::uint64_t interpreter_id = 0;
  std::uint64_t interpreter_next = 0;
  std::uint64_t interpreter_threads_head = 0;
};

/// Empty when the cookie "xdebugpy" does not stand at the start of _PyRuntime.
std::optional<DebugOffsets> read_debug_offsets(const image::AddressSpace& memory, Address runtime);

} // namespace pygc::cpython
