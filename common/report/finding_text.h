// A finding as people read it.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/kit/text.h"

namespace pygc::report {

void add_finding(Text& text, const analysis::Finding& finding);

Colour severity_colour(analysis::Severity severity);

} // namespace pygc::report
