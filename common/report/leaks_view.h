// The two views of references that nothing accounts for.
#pragma once

#include "common/analysis/explore/leaks.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.leaks/1.
std::string leaks_json(const Subject& subject, const analysis::Leaks& leaks);
std::string leaks_text(const analysis::Leaks& leaks, Style style);

} // namespace pygc::report
