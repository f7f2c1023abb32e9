// Cores and files of the target are mapped: one that becomes shorter meanwhile takes its pages
// away.
#pragma once

namespace pygc::commands {

/// From now on the loss of a mapped page ends the program with a sentence on standard error and
/// status_error, not by a signal.
void end_when_a_file_shrinks();

} // namespace pygc::commands
