// Where a stopped process without a GIL is inside update_refs: which container, how far.
#pragma once

#include "common/analysis/step/subtract_position.h"

namespace pygc::analysis {

/// From the frame that runs update_refs for one block (`frames`, innermost first): at the call of a
/// traverse function, or inside one. `stored` has the references of objects whose turn is still to
/// come, as if update_refs had added them already: so that it goes down visit by visit, and is
/// negative only when that is wrong. Nothing when the thread is not there. Errors: memory_*, as
/// replay::Replayer::run.
Result<std::optional<SubtractPosition>> find_update_position(const image::AddressSpace& memory,
                                                             const heap::CollectedSet& set,
                                                             const SubtractCode& code,
                                                             std::span<const image::Frame> frames,
                                                             SubtractReplay& replay);

} // namespace pygc::analysis
