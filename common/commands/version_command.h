// `pygc version`.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_version_command();

} // namespace pygc::commands
