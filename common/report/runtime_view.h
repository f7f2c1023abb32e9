// The two views of a target's CPythons.
#pragma once

#include "common/analysis/facts/runtime_survey.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>
#include <vector>

namespace pygc::report {

/// One document of schema pygc.runtime/1.
std::string runtime_json(const Subject& subject,
                         const std::vector<analysis::RuntimeView>& runtimes);

std::string runtime_text(const std::vector<analysis::RuntimeView>& runtimes, Style style);

} // namespace pygc::report
