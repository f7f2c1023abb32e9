// How a str keeps its characters (PyASCIIObject, Include/cpython/unicodeobject.h).
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstdint>

namespace pygc::cpython {

/// A compact str: its characters follow its fields.
struct StrData {
  std::uint64_t count = 0; // characters
  unsigned kind = 1;       // bytes of each
  bool ascii = false;
  Address first = 0;

  /// With the one that ends them.
  std::uint64_t bytes() const { return (count + 1) * kind; }
};

/// Errors: corrupt (it is none, or one of a class derived from str, which is not compact),
/// memory_*.
Result<StrData> str_data(const image::AddressSpace& memory, const Layout& layout, Address str);

} // namespace pygc::cpython
