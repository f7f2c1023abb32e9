// `pygc runtime`: version, interpreters, collector state and faulthandler's state.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_runtime_command();

} // namespace pygc::commands
