// What the running Python functions of an interpreter hold: their local variables.
//
// From 3.11 on frames are no objects (_PyInterpreterFrame: Include/internal/pycore_frame.h, 3.14+
// pycore_interpframe_structs.h): nobody visits what they own. Nor does anybody of those of 3.8 to
// 3.10, which are objects but not tracked while they run (frame_objects.h).
#pragma once

#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::cpython {

/// A strong reference that a local variable of a running function holds.
struct FrameReference {
  Address object = 0;
  SlotAddress at;                // in the frame
  Address code = 0;              // PyCodeObject
  std::uint32_t variable = 0;    // index into co_localsplusnames, or what was that to 3.10
  std::uint64_t instruction = 0; // code units from the function's begin
};

/// Whether the layout has all that frames are read by.
bool knows_frames(const Layout& layout);

/// Of the threads of one interpreter, innermost frames first. Frames of generators are left out:
/// their generator visits them. So are frames that are about to end, whose references are being
/// released. Nothing where the layout does not know frames, and what cannot be read ends a thread.
std::vector<FrameReference> frame_references(ObjectReader& reader, const Interpreter& interpreter);

/// The reference of a frame that lies in an object (a generator, a coroutine, a frame object) in
/// this slot of the object. Nothing where the layout does not know frames, or the slot is no
/// variable.
std::optional<FrameReference> frame_reference_in(ObjectReader& reader, Address object,
                                                 SlotAddress slot);

/// How people call the variable and the place.
struct FrameVariable {
  std::string name;     // "session"
  std::string function; // qualified from 3.11 on
  std::string file;
  std::int64_t line = 0; // 0: not known
};

FrameVariable frame_variable(ObjectReader& reader, const FrameReference& reference);

} // namespace pygc::cpython
