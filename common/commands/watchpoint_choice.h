// Whether a command relies on hardware watchpoints.
#pragma once

#include "common/machine/hardware_watchpoints.h"
#include "common/target/target.h"

namespace CLI {
class App;
}

namespace pygc::commands {

/// --hardware-watchpoints
void declare_watchpoint_option(CLI::App& app, bool& asked);

/// What PYGC_HARDWARE_WATCHPOINTS (0 or 1) says; else what the user asked for; else, of a process
/// on this machine, what a trial shows. Of another machine's nothing is known: then not.
machine::WatchpointProbe choose_watchpoints(const target::Info& target, bool asked);

} // namespace pygc::commands
