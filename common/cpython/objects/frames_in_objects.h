// What the frame in a generator, a coroutine or a frame object refers to, by its names.
// (running_frames.cc, which knows the fields of frames, defines it.)
#pragma once

#include "common/cpython/objects/running_frames.h"

#include <optional>
#include <string_view>

namespace pygc::cpython {

/// The variable of the container's frame that holds the object. Nothing where the container has no
/// frame in it, or that has the object elsewhere.
std::optional<FrameReference> variable_that_holds(ObjectReader& reader, Address container,
                                                  Address object);

/// The field that is in this slot of the container: "f_funcobj" of its frame (3.11+), "f_globals"
/// of one that is a frame itself (to 3.10), "__name__" of a generator. Empty: it is none of these.
std::string_view field_around_frame(ObjectReader& reader, Address container, SlotAddress slot);

} // namespace pygc::cpython
