// What a function on a stack is doing to an object, by the slot of the object's type that it fills.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/cpython/collector/crash_stack.h"

namespace pygc::analysis {

/// When the frame's function is tp_dealloc, tp_clear, tp_finalize or tp_traverse of the type, or of
/// a base of it, of an object that the frame has at hand: in a variable, a register, or on its part
/// of the stack, which begins at `sp`.
cpython::KnownDeed find_slot_deed(const CheckInput& input, const image::Frame& frame, Address sp);

} // namespace pygc::analysis
