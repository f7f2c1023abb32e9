// `pygc check`: the verdict on a target.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_check_command();

} // namespace pygc::commands
