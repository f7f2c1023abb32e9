// Arrays of objects as numpy has them: not tracked, and what they hold nobody visits.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace pygc::cpython {

/// An array that owns its data, whose elements are references and lie without gaps.
struct ObjectArray {
  struct Dimension {
    std::uint64_t count = 0;
    std::uint64_t stride = 0; // bytes
  };
  Address data = 0;
  std::uint64_t size = 0; // bytes
  std::vector<Dimension> dimensions;

  /// The subscripts of the element that lies there; empty: none does.
  std::vector<std::uint64_t> subscripts(Address at) const;
};

/// Reads a PyArrayObject (numpy/ndarraytypes.h: the same in numpy 1 and 2). Its fields are believed
/// only where they agree: the data type says 'O' and NPY_OBJECT, the strides are those of the
/// dimensions, in the order of C or of Fortran, and the data is there. Nothing for any other
/// object.
std::optional<ObjectArray> object_array(const ObjectReader& reader, Address object);

} // namespace pygc::cpython
