// From which slot each suspicious visit came, and whether the container that made it owns that
// slot.
#pragma once

#include "common/analysis/check.h"
#include "common/analysis/collected_set.h"
#include "common/analysis/explain.h"
#include "common/analysis/finding.h"

#include <span>

namespace pygc::analysis {

/// Traces what trace_plan.h names and all visitors of the findings so far; adds the slots to the
/// findings' visitors, an unowned_visit for each slot that containers visit without owning it, a
/// duplicate_visit for each slot that is visited more than once, and what else traversals do that
/// they must not. `result` is the replay of `set`, `stale` as for Round::clear_collecting. Errors:
/// cancelled, replayer, limit.
Result<void> trace_provenance(const CheckInput& input, Explainer& explainer,
                              const CollectedSet& set, const replay::RoundResult& result,
                              std::span<const Address> stale, CheckReport& report);

} // namespace pygc::analysis
