// The two views of where a process is inside a collection.
#pragma once

#include "common/analysis/step/step_report.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>
#include <vector>

namespace pygc::report {

/// What the report cannot tell, or what the process did not do, one sentence each.
std::vector<std::string> shortfalls(const analysis::StepReport& report);

/// One document of schema pygc.step/1.
std::string step_json(const Subject& subject, const analysis::StepReport& report);

std::string step_text(const analysis::StepReport& report, Style style);

} // namespace pygc::report
