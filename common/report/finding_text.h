// A finding as people read it.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/kit/text.h"

namespace pygc::report {

/// What a finding rests on where that is more than arithmetic: "proven", "likely"; else empty.
std::string_view basis_of(const analysis::Finding& finding);

void add_finding(Text& text, const analysis::Finding& finding);

Colour severity_colour(analysis::Severity severity);

} // namespace pygc::report
