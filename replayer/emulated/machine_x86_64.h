// All that is x86-64 in the emulated engine, but for the names of registers in engine.cc: our own
// code for the guest, and what instructions mean.
#pragma once

#include "common/replay/replayer_protocol.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pygc::replayer::machine {

/// Offsets in the page of our own code.
inline constexpr std::uint64_t driver = 0x00;            // calls the register function, for ever
inline constexpr std::uint64_t record_visitor = 0x40;    // visits are seen by the emulator's hook
inline constexpr std::uint64_t decrement_visitor = 0x80; // as visit_decref; up to the page's end
inline constexpr std::uint64_t never_reached = 0xff0;

/// Writes our own code.
void write_own_code(std::span<std::byte> page, const replay::protocol::Setup& setup);

enum class Instruction : std::uint8_t {
  ordinary,
  unsupported, // the emulator would refuse it, or worse, take it for another one
  privileged,
  system_call,
  illegal, // by definition
};

/// What the emulator must not be left to execute. `bytes`: at least the instruction, if there are
/// so many.
Instruction classify(std::span<const std::byte> bytes);
/// What an instruction is that the emulator refuses.
Instruction classify_refused(std::span<const std::byte> bytes);

} // namespace pygc::replayer::machine
