// Where system calls may come from: the C library's code and the kernel's own page (vdso). What the
// emulator has translated, and whatever else can be executed, makes none.
#pragma once

namespace pygc::replayer {

/// From now on any other system call ends the process, whichever it is. 0, or errno.
int allow_calls_of_the_c_library();

} // namespace pygc::replayer
