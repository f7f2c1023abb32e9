// `pygc generations`: the collector's lists, their counts and what is on them.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_generations_command();

} // namespace pygc::commands
