// Where an interpreter keeps the PyThreadState of the thread that runs (_Py_tss_tstate,
// Python/pystate.c): thread-local storage, which no core describes.
#pragma once

#include "common/image/address_space.h"
#include "common/image/module.h"

#include <cstdint>
#include <optional>

namespace pygc::cpython {

/// From a thread's thread pointer to that word, as the code of PyThreadState_GetUnchecked() has it.
/// Nothing where it is not seen: before 3.12 there is no such word.
std::optional<std::int64_t> current_thread_offset(const image::AddressSpace& memory,
                                                  const image::Module& module);

} // namespace pygc::cpython
