// VEX- and EVEX-encoded instructions, taken apart: AVX, AVX2, and what AVX-512VL makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pygc::replayer::machine {

struct VexInstruction {
  unsigned map = 0;    // 1: 0f, 2: 0f 38, 3: 0f 3a
  unsigned prefix = 0; // 0: none, 1: 66, 2: f3, 3: f2
  unsigned opcode = 0;
  bool wide = false;      // W
  bool vector256 = false; // L; of each half of a vector of 512 bits
  bool vector512 = false;
  bool evex = false;
  unsigned mask = 0; // EVEX: the mask register that leaves elements out; 0: none

  unsigned reg = 0;    // ModRM.reg
  unsigned second = 0; // vvvv
  bool memory = false; // else rm is a register
  unsigned rm = 0;
  unsigned immediate = 0;
  std::size_t length = 0;

  // The memory operand; registers by number, absent ones negative.
  int base = -1;
  int index = -1;
  unsigned scale = 0; // a shift
  std::int64_t displacement = 0;
  bool relative = false; // to the next instruction

  /// What tells instructions apart.
  constexpr unsigned key() const { return map << 16U | prefix << 8U | opcode; }
};

/// Saving and restoring the vector registers: xsave, xsavec, xsaveopt, xrstor, with their operand.
enum class StateTransfer : std::uint8_t { none, save, restore };
StateTransfer decode_state_transfer(std::span<const std::byte> bytes, VexInstruction& operand);

/// VEX or EVEX. nullopt: neither, or what is not dealt with (other prefixes, broadcasts from
/// memory, zeroing of elements left out).
std::optional<VexInstruction> decode_vex(std::span<const std::byte> bytes);

} // namespace pygc::replayer::machine
