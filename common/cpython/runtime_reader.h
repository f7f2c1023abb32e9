// Reads interpreters and their generations with a given layout, and proves the layout by them.
#pragma once

#include "common/cpython/runtime.h"

namespace pygc::cpython {

/// Fills runtime.interpreters by runtime.layout. Errors: corrupt, memory_*, with the address.
Result<void> read_interpreters(const image::AddressSpace& memory, Runtime& runtime);

/// Accepts a layout only when the target bears it out: in every interpreter each list head's
/// neighbours point back to it, and the first objects' types look like types.
/// Errors: corrupt with the first contradiction. A list that is damaged further on is no objection:
/// that is for the check to find.
Result<void> prove_layout(const image::AddressSpace& memory, const Runtime& runtime);

/// True when `object` has a type that looks like the type of a tracked object.
bool looks_like_object(const image::AddressSpace& memory, const Layout& layout, Address object);

} // namespace pygc::cpython
