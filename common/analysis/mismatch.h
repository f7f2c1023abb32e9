// A collection that was running when the target stopped: what it stored against what it should have
// stored.
#pragma once

#include "common/analysis/check.h"
#include "common/analysis/explain.h"
#include "common/analysis/finding.h"

#include <span>

namespace pygc::analysis {

/// Fills report.collection, and adds a gc_refs_mismatch for each object whose stored gc_refs memory
/// does not explain. Errors: cancelled, replayer.
Result<void> explain_collection(const CheckInput& input, Explainer& explainer,
                                std::span<const Address> stale, CheckReport& report);

} // namespace pygc::analysis
