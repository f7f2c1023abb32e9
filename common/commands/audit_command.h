// `pygc audit`: every traverse function against the rules of the C API.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_audit_command();

} // namespace pygc::commands
