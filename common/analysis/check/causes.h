// Findings that one cause explains become one.
#pragma once

#include "common/analysis/finding.h"

#include <vector>

namespace pygc::analysis {

/// A finding that tells a cause: it says who visits wrongly, not only that the count is wrong.
bool is_cause(const Finding& finding);

/// Causes of the same function and field become one, with all their victims and visitors: a
/// thousand instances of a type are wrong for the same reason.
std::vector<Finding> fold_causes(std::vector<Finding> findings);

/// A negative_gc_refs whose surplus visits are those that causes have found goes into these, as the
/// arithmetic of a victim. One that causes leave short stays.
std::vector<Finding> absorb_negatives(std::vector<Finding> findings);

/// Findings of negative_gc_refs about objects of one type that the same functions visit through the
/// same fields become one, with the objects as its victims: one mistake has made them all.
std::vector<Finding> fold_alike(std::vector<Finding> findings);

} // namespace pygc::analysis
