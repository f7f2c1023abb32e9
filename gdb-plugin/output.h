// Who reads what GDB prints.
#pragma once

namespace pygc::gdb {

/// At load, when no command is under way.
void note_inherited_pipes();

/// Whether it comes to a terminal with a person before it, as far as GDB's process shows that: not
/// when a machine interface is spoken on one, nor when "pipe" takes the output. ("set logging"
/// drops colours by itself.)
bool output_is_for_people();

} // namespace pygc::gdb
