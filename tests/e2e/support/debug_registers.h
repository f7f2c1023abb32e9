// The processor's debug registers, which virtual machines may accept and ignore: no test depends on
// them.
#pragma once

namespace pygc::e2e {

/// Whether a hardware watchpoint that is set on a process here stops it. Throws when the process
/// that it is tried on cannot be made or traced.
bool hardware_watchpoints_fire();

/// From here on debuggers, in this process and in all that it starts, can set debug registers as
/// before, but nothing comes of it. Async-signal-safe; false when the kernel refuses.
bool ignore_debug_registers();

/// PYGC_TEST_DEBUG_REGISTERS=off: so for every program that the tests start.
bool debug_registers_are_off();

} // namespace pygc::e2e
