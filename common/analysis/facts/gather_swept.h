// Facts from a sweep: of a heap in which nothing is wrong but, perhaps, slots that are not the
// container's.
#pragma once

#include "common/analysis/facts/facts.h"
#include "common/analysis/facts/input.h"
#include "common/base/error.h"
#include "common/replay/sweep.h"

#include <optional>

namespace pygc::analysis {

struct SweptFacts {
  heap::Heap heap; // its lists alone
  Facts facts;
};

/// What gather_facts() with negatives, reachability and running would have found in the only
/// interpreter of the target. Nothing: the sweep has come upon something that gather_facts() has to
/// look at. `input.heap` is not used. Errors: cancelled, replayer.
Result<std::optional<SweptFacts>> gather_swept(const CheckInput& input, replay::Sweep& sweep);

} // namespace pygc::analysis
