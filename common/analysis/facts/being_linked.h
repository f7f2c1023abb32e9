// Lists that do not hang together because a thread is just changing them.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/facts/worked_at.h"
#include "common/heap/heap.h"

#include <optional>

namespace pygc::analysis {

/// The object that a thread is just linking into a list of a GIL build, or out of one, when that
/// explains the corruption: the thread has the object at hand, and with the links that are still to
/// be written (_PyObject_GC_TRACK and _PyObject_GC_UNTRACK write four, in any order) the list hangs
/// together there. No collection can begin before they are. Of a process that a signal has ended
/// nothing is explained so.
std::optional<Address> object_being_linked(const CheckInput& input, const WorkedAt& worked_at,
                                           const heap::Corruption& corruption);

} // namespace pygc::analysis
