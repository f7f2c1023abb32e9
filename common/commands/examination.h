// What `pygc doctor` looks at.
#pragma once

#include "common/analysis/doctor_report.h"
#include "common/commands/context.h"

namespace pygc::commands {

/// Looks at everything that a check needs, in the order in which it needs it, and goes as far as it
/// can.
analysis::DoctorReport examine(Context& context, const Options& options);

} // namespace pygc::commands
