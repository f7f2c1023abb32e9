// The frames of 3.8 to 3.10, which are objects (PyFrameObject: Include/frameobject.h, 3.9+
// Include/cpython/frameobject.h). While one runs the collector does not know it: it is tracked when
// its function returns and somebody else has it. Those of generators are tracked from the start.
#pragma once

#include "common/cpython/objects/running_frames.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::cpython {

/// Whether the layout has frames of this kind, with all that they are read by.
bool knows_frame_objects(const Layout& layout);

/// As frame_references(), of frames that are not tracked: tracked ones visit their variables.
std::vector<FrameReference> frame_object_references(ObjectReader& reader,
                                                    const Interpreter& interpreter);

/// The variable of a frame object that lies in this slot of it; nothing for what is no such frame
/// or no variable.
std::optional<FrameReference> frame_object_reference_in(ObjectReader& reader, Address frame,
                                                        SlotAddress slot);

/// Those of an interpreter's threads that are not tracked: nobody visits what they own.
std::vector<Address> untracked_frame_objects(ObjectReader& reader, const Interpreter& interpreter);

/// A field of a frame object in front of its variables, by its offset.
struct FrameObjectField {
  std::string_view name; // "f_globals"
  Address code = 0;      // that the frame runs
};

/// Nothing for what is no frame, and where the fields between f_code and f_valuestack are not the
/// three that all these versions have there.
std::optional<FrameObjectField> frame_object_field(ObjectReader& reader, Address frame,
                                                   std::uint64_t offset);

/// The name of a variable: of co_varnames, co_cellvars and co_freevars together. Empty where that
/// cannot be read.
std::string frame_object_variable(ObjectReader& reader, const FrameReference& reference);

} // namespace pygc::cpython
