// All that depends on the processor in the emulated engine: the emulator's registers, our own code
// for the guest, what instructions and interrupts mean, and instructions that the emulator lacks. A
// new architecture supplies these, in a directory of its name.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/supplement.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unicorn/unicorn.h>

namespace pygc::replayer::machine {

/// The emulator of this processor; nullptr when there is none.
uc_engine* open_emulator();

/// The emulator's numbers of the registers that the engine sets and reads.
struct Registers {
  int pc;
  int sp;
  int thread_pointer;
  int result;
  int system_call; // its number, when one is made
  int function;    // what the driver is to call
  int first_argument;
  int second_argument;
  int third_argument;
  int fourth_argument;
  int fifth_argument;
};
extern const Registers registers;

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

enum class Interrupt : std::uint8_t { breakpoint, arithmetic, system_call, other };
/// What an exception of the guest's is, by the number that the emulator gives it.
Interrupt classify_interrupt(std::uint32_t number);

/// What carries out instructions that the emulator lacks.
std::unique_ptr<Supplement> make_supplement(uc_engine* emulator, SupplementMemory& memory);

} // namespace pygc::replayer::machine
