// Reads interpreters with a given layout, and proves the layout by them.
#pragma once

#include "common/cpython/runtime.h"

namespace pygc::cpython {

/// Fills runtime.interpreters by runtime.layout. Errors: corrupt, memory_*, with the address.
Result<void> read_interpreters(const image::AddressSpace& memory, Runtime& runtime);

/// Accepts a layout only when the target bears it out, in every interpreter (Collector::prove).
/// Errors: corrupt with the first contradiction.
Result<void> prove_layout(const image::AddressSpace& memory, const Runtime& runtime);

} // namespace pygc::cpython
