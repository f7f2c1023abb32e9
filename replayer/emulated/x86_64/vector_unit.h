// Carries out what the emulator lacks and traverse functions do come across: the AVX2 and AVX-512VL
// instructions of the C library's string functions (PyCapsule's traversal compares names), moves of
// vectors, of their words and halves (as compilers copy several pointers at once), and the saving
// of vector registers around the dynamic linker's lazy binding.
#pragma once

#include "replayer/emulated/supplement.h"
#include "replayer/emulated/x86_64/vex.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <unicorn/unicorn.h>
#include <vector>

namespace pygc::replayer {

class VectorUnit final : public Supplement {
public:
  VectorUnit(uc_engine* emulator, SupplementMemory& memory)
      : emulator_(emulator), memory_(memory) {}

  Result execute(std::uint64_t pc, std::span<const std::byte> bytes) override;

  void reset() override {
    upper_ = {};
    high_ = {};
    far_ = {};
    masks_ = {};
    saved_.clear();
  }

private:
  using Vector = std::array<std::uint8_t, 32>;
  using Words = std::array<std::uint64_t, 4>;
  using Instruction = machine::VexInstruction;

  Result dispatch(std::uint64_t pc, const Instruction& in);
  void transfer_state(machine::StateTransfer direction, std::uint64_t address);
  Result move(std::uint64_t pc, const Instruction& in, std::size_t size, bool store);
  Result general_move(std::uint64_t pc, const Instruction& in);
  Result broadcast(std::uint64_t pc, const Instruction& in, std::size_t element);
  Result to_mask(const Instruction& in);
  Result test(std::uint64_t pc, const Instruction& in);
  template <class Element, class Operation>
  Result combine(std::uint64_t pc, const Instruction& in, Operation operation);

  // Of vector_lanes.cc: what puts together and takes apart.
  Result dispatch_lanes(std::uint64_t pc, const Instruction& in);
  Result extract_half(std::uint64_t pc, const Instruction& in);
  Result insert_half(std::uint64_t pc, const Instruction& in);
  Result extract_element(std::uint64_t pc, const Instruction& in);
  Result insert_element(std::uint64_t pc, const Instruction& in);
  Result load_word(std::uint64_t pc, const Instruction& in, unsigned word);
  Result store_word(std::uint64_t pc, const Instruction& in, unsigned word);
  Result unpack_words(std::uint64_t pc, const Instruction& in, unsigned word);
  Result permute_words(std::uint64_t pc, const Instruction& in);
  Result shuffle(std::uint64_t pc, const Instruction& in);

  // Of vector_masks.cc: EVEX, and the mask registers.
  Result dispatch_evex(std::uint64_t pc, const Instruction& in);
  Result dispatch_compare(std::uint64_t pc, const Instruction& in);
  Result dispatch_masks(const Instruction& in);
  Result store_some(std::uint64_t pc, const Instruction& in, std::size_t element);
  Result dispatch_halves(std::uint64_t pc, const Instruction& in);
  Result broadcast_general(const Instruction& in, std::size_t element);
  Result ternary(std::uint64_t pc, const Instruction& in);
  Result move_mask(const Instruction& in, bool to_general, unsigned width);
  Result test_masks(const Instruction& in, unsigned width);
  template <class Element, class Operation>
  Result compare(std::uint64_t pc, const Instruction& in, Operation operation);
  template <class Element> Result compare_by_immediate(std::uint64_t pc, const Instruction& in);
  template <class Element> Result test_elements(std::uint64_t pc, const Instruction& in);

  /// The r/m operand; behind `size` bytes zeros.
  bool load_operand(std::uint64_t pc, const Instruction& in, std::size_t size, Vector& to);
  Result store_operand(std::uint64_t pc, const Instruction& in, std::size_t size, Vector value);
  std::uint64_t effective_address(std::uint64_t pc, const Instruction& in) const;
  std::uint64_t get_general(int number) const; // 0 for a negative number: no register
  void set_general(unsigned number, std::uint64_t value);
  Vector get(unsigned number) const;
  void set(unsigned number, const Vector& value, bool vector256);
  /// Zero and carry as given, the other arithmetic flags cleared.
  void set_flags(bool zero, bool carry);
  static constexpr std::size_t size_of(const Instruction& in) { return in.vector256 ? 32 : 16; }

  uc_engine* emulator_;
  SupplementMemory& memory_;
  std::array<std::array<std::uint8_t, 16>, 16> upper_{}; // the emulator has the lower halves
  std::array<Vector, 16> high_{};                        // ymm16 to ymm31
  std::array<Vector, 32> far_{};                         // the upper halves of zmm0 to zmm31
  std::array<std::uint64_t, 8> masks_{};                 // k0 to k7
  /// What registers are now: 256 bits and zeros above, or a half of 512 bits.
  enum class Part : std::uint8_t { whole, near, far };
  Part part_ = Part::whole;
  struct Saved {
    std::uint64_t address = 0;
    std::array<Vector, 16> registers;
  };
  std::vector<Saved> saved_; // kept here: nobody else reads the area in memory
};

} // namespace pygc::replayer
