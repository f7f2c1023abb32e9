// `pygc modules`: every module object, its definition and what its m_traverse visits.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_modules_command();

} // namespace pygc::commands
