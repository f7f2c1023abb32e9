// The two views of an audit's outcome.
#pragma once

#include "common/analysis/audit/audit.h"
#include "common/commands/context.h"

#include <string>

namespace pygc::commands {

/// One document of schema pygc.audit/1, with a newline at its end.
std::string audit_json(const Context& context, const analysis::AuditReport& report);

/// The functions with violations (`all`: every one) by library, in lines of at most `width` columns
/// where words allow it.
std::string audit_text(const analysis::AuditReport& report, unsigned width, bool all);

/// A violation that is proven.
bool has_proven_violation(const analysis::AuditReport& report);

} // namespace pygc::commands
