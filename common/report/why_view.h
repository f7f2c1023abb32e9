// The two views of why an object is alive.
#pragma once

#include "common/analysis/explore/why.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.why/1.
std::string why_json(const Subject& subject, const analysis::Why& why);
std::string why_text(const analysis::Why& why, Style style);

} // namespace pygc::report
