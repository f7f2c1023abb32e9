// The value of an int object, and how many digits it has, which is no count of items.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstdint>
#include <optional>

namespace pygc::cpython {

inline constexpr unsigned long_subclass = 24; // Py_TPFLAGS_LONG_SUBCLASS, a bit of tp_flags

/// How the interpreter keeps sign and number of digits of an int: where ob_size is, up to 3.11 as
/// ob_size, since 3.12 as lv_tag, whose 0 is not 0. Nothing: it cannot be told.
std::optional<bool> ints_have_tags(ObjectReader& reader);

/// Of an int or an instance of a subclass. Some versions without tags have a digit for 0 that is
/// not counted here. Nothing for what cannot be read, or no int can have.
std::optional<std::uint64_t> digit_count(ObjectReader& reader, Address object);

/// Nothing for what is no int (bool is one), does not fit, or cannot be read. Mirrors _PyLongValue
/// (Include/cpython/longintrepr.h), digits of 30 bits.
std::optional<std::int64_t> int_value(ObjectReader& reader, Address object);

} // namespace pygc::cpython
