// The two views of a check's outcome: text for people, JSON for programs.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>
#include <string_view>

namespace pygc::report {

/// How the check was run.
struct CheckRun {
  std::string_view engine; // "native", "emulated", "both"
  double seconds = 0;      // all of the command
};

/// "clean", "warnings", "findings" (errors) or "incomplete". Clean is said only of a complete check
/// without errors and warnings; a note tells of what is right as it is.
std::string_view verdict_of(const analysis::CheckReport& report);

/// One document of schema pygc.check/1.
std::string check_json(const Subject& subject, const analysis::CheckReport& report,
                       const CheckRun& run);

std::string check_text(const Subject& subject, const analysis::CheckReport& report, Style style);

} // namespace pygc::report
