// `pygc watch`: the decrements of one object's gc_refs in a live process.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_watch_command();

} // namespace pygc::commands
