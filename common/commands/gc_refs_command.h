// `pygc gc-refs`: every object with its gc_refs, as a collection would compute it.
#pragma once

#include "common/commands/command.h"

#include <memory>

namespace pygc::commands {

std::unique_ptr<Command> make_gc_refs_command();

} // namespace pygc::commands
