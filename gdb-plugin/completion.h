// Completion of what follows "pygc check", which GDB offers to commands that its Python defines,
// and to no others.
#pragma once

#include "common/protocol/wire_commands.h"

#include <string>

namespace pygc::gdb {

/// GDB commands that put commands of Python's in front of those that "define" has made, so that
/// options, their values and files are completed. Nothing happens in a GDB without Python.
std::string completion(const wire::CommandTable& table);

} // namespace pygc::gdb
