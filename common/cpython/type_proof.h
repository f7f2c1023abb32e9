// Whether memory looks like what a layout says that it is.
#pragma once

#include "common/base/error.h"
#include "common/cpython/layout.h"
#include "common/image/address_space.h"

namespace pygc::cpython {

/// Whether a pointer to something so aligned can have that value.
bool is_plausible(Address address, Address alignment = 8);

/// A type has a readable name and the flag of GC types. Errors: corrupt, memory_not_saved when that
/// cannot be told.
Result<void> prove_type(const image::AddressSpace& memory, const Layout& layout, Address type);

/// True when `object` has a type that looks like the type of a tracked object.
bool looks_like_object(const image::AddressSpace& memory, const Layout& layout, Address object);

/// What the core has not saved (it may be truncated) proves nothing, and contradicts nothing.
template <typename T> bool is_not_saved(const Result<T>& result) {
  return !result && result.error().kind == ErrorKind::memory_not_saved;
}

} // namespace pygc::cpython
