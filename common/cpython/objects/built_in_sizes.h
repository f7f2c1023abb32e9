// What __sizeof__ of str, of generators and of frames gives: their memory has no count in ob_size.
#pragma once

#include "common/cpython/objects/object_size.h"

#include <cstdint>
#include <optional>

namespace pygc::cpython {

/// unicode_sizeof (Objects/unicodeobject.c) of a compact str, and where its memory lies. Errors:
/// corrupt (it is not compact, as instances of classes derived from str), memory_*.
Result<MemoryParts> str_parts(const image::AddressSpace& memory, const Layout& layout, Address str);

/// How many words a frame has for its variables and its value stack, by the code that it runs
/// (_PyFrame_NumSlotsForCodeObject, Include/internal/pycore_frame.h). Nothing where the layout does
/// not know frames, or the numbers are none that can be.
std::optional<std::uint64_t> frame_slots(const image::AddressSpace& memory, const Layout& layout,
                                         Address code);

/// What those words take in an object that a frame ends: gen_sizeof (Objects/genobject.c, 3.11+)
/// and frame_sizeof (Objects/frameobject.c, 3.11+). Nothing when the frame is gone.
std::optional<std::uint64_t> bytes_of_frame(ObjectReader& reader, Address object, Address type);

} // namespace pygc::cpython
