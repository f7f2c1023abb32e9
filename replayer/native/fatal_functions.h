// Functions by which the target's code gives up: an assertion that fails is caught where it is
// told.
#pragma once

#include <cstdint>
#include <ucontext.h>

namespace pygc::replayer {

/// Gives each of Setup::fatal_functions a breakpoint, where its memory is to be had. The handlers
/// are installed, and memory may still be made writable.
void set_breakpoints();

/// Makes the incident under way one of its kind, if the trap is the breakpoint of such a function.
void tell_fatal_function(const ucontext_t& context);

} // namespace pygc::replayer
