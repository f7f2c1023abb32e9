// The two views of an audit's outcome.
#pragma once

#include "common/analysis/audit/audit.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.audit/1.
std::string audit_json(const Subject& subject, const analysis::AuditReport& report);

/// The functions with violations (`all`: every one) by library.
std::string audit_text(const analysis::AuditReport& report, Style style, bool all);

} // namespace pygc::report
