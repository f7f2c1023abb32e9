// What `pygc doctor` looks at.
#pragma once

#include "common/analysis/facts/doctor_report.h"
#include "common/session/context.h"

namespace pygc::commands {

/// Looks at everything that a check needs, in the order in which it needs it, and goes as far as it
/// can.
analysis::DoctorReport examine(session::Context& context, const session::Options& options);

} // namespace pygc::commands
