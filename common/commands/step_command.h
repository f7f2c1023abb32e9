// `pygc step`: through subtract_refs of a live process.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_step_command();

} // namespace pygc::commands
