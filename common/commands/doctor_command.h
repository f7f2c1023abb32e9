// `pygc doctor`: what pygc found of a target, what it lacks, and the command that mends each lack.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_doctor_command();

} // namespace pygc::commands
