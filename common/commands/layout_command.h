// `pygc layout`: a target's struct offsets from DWARF, as a layout table.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_layout_command();

} // namespace pygc::commands
