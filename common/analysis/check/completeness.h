// What a check could not look at, so that "clean" would be too much to say, and what degrades
// explanations only.
#pragma once

#include "common/analysis/facts/facts.h"
#include "common/analysis/facts/input.h"
#include "common/analysis/finding.h"

namespace pygc::analysis {

/// Fills complete, incomplete_because and notes; report.objects has been counted.
void judge_completeness(const CheckInput& input, const Facts& facts, CheckReport& report);

} // namespace pygc::analysis
