// What a value is, as Python code spells it, from memory alone.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <string>

namespace pygc::cpython {

/// "'text'", "b'\x00'", "-3", "1.5", "True" of str, bytes, int, float and bool, and of instances of
/// classes derived from them; what is longer than a line ends with "...". Empty: it is no such
/// value, or cannot be read.
std::string value_text(ObjectReader& reader, Address object, Address type);

} // namespace pygc::cpython
