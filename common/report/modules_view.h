// The two views of a survey of modules.
#pragma once

#include "common/analysis/facts/module_survey.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>
#include <vector>

namespace pygc::report {

/// One document of schema pygc.modules/1.
std::string modules_json(const Subject& subject, const std::vector<analysis::ModuleRow>& rows,
                         const std::vector<std::string>& incomplete_because);

/// `all`: with the modules of Python code.
std::string modules_text(const std::vector<analysis::ModuleRow>& rows, Style style, bool all);

} // namespace pygc::report
