// Bits of tp_flags (Include/object.h), the same in every supported version.
#pragma once

namespace pygc::cpython::type_flag {

inline constexpr unsigned managed_dict = 4; // 3.11+
inline constexpr unsigned heap_type = 9;
inline constexpr unsigned have_gc = 14;
inline constexpr unsigned list_subclass = 25;
inline constexpr unsigned tuple_subclass = 26;
inline constexpr unsigned unicode_subclass = 28;
inline constexpr unsigned dict_subclass = 29;
inline constexpr unsigned type_subclass = 31;

} // namespace pygc::cpython::type_flag
