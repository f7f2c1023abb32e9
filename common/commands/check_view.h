// The two views of a check's outcome: text for people, JSON for programs.
#pragma once

#include "common/analysis/finding.h"
#include "common/commands/context.h"

#include <string>

namespace pygc::commands {

/// "clean", "findings" or "incomplete". Clean is said only of a complete check without findings.
std::string verdict_of(const analysis::CheckReport& report);

/// The exit status that goes with it.
int status_of(const analysis::CheckReport& report);

/// One document of schema pygc.check/1, with a newline at its end.
std::string check_json(const Context& context, const analysis::CheckReport& report);

/// Lines of at most `width` columns where words allow it.
std::string check_text(const Context& context, const analysis::CheckReport& report, unsigned width,
                       bool colour);

} // namespace pygc::commands
