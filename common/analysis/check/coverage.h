// What a check has looked at: what "clean" covers.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/finding.h"

namespace pygc::analysis {

/// Of a check with this input, whose objects have been counted.
Coverage coverage_of(const CheckInput& input, const CheckReport& report);

} // namespace pygc::analysis
