// `pygc snapshot`: a core of a running process.
#pragma once

#include "common/commands/command.h"

namespace pygc::commands {

std::unique_ptr<Command> make_snapshot_command();

} // namespace pygc::commands
