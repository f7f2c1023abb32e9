// From which slot each suspicious visit came, and whether the container that made it owns that
// slot.
#pragma once

#include "common/analysis/check.h"
#include "common/analysis/collected_set.h"
#include "common/analysis/explain.h"
#include "common/analysis/finding.h"

namespace pygc::analysis {

/// Traces every module's m_traverse, some instances of each type and all visitors of the findings
/// so far; adds the slots to the findings' visitors, and an unowned_visit for each slot that
/// containers visit without owning it. `result` is the replay of `set`. Errors: cancelled,
/// replayer.
Result<void> trace_provenance(const CheckInput& input, Explainer& explainer,
                              const CollectedSet& set, const replay::RoundResult& result,
                              CheckReport& report);

} // namespace pygc::analysis
