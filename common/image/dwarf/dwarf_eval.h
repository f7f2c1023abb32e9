// Evaluates DWARF expressions against a frame: registers, memory, CFA. Gives up rather than guess.
#pragma once

#include "common/image/address_space.h"
#include "common/image/dwarf/dwarf_info.h"
#include "common/target/target.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace pygc::image {

/// Registers of a frame by DWARF number; nothing where the unwind tables lost them.
using Registers = std::array<std::optional<std::uint64_t>, machine::dwarf_register_count>;

struct EvaluationContext {
  const AddressSpace* memory = nullptr;
  const Registers* registers = nullptr;
  Address bias = 0;
  std::optional<Address> cfa;
  std::optional<std::uint64_t> frame_base;
  /// What a register held when the function was entered, as far as its caller tells.
  std::function<std::optional<std::uint64_t>(std::uint64_t number)> entry_register;
};

/// What an expression says: a value, or where one lies.
struct Location {
  enum class Kind : std::uint8_t { memory, register_number, value } kind = Kind::memory;
  std::uint64_t value = 0;
};

/// Nothing when the expression needs what a core cannot tell, or is malformed. `attribute` is the
/// one that the operations come from, if they come from one.
std::optional<Location> evaluate(std::span<const Dwarf_Op> operations,
                                 const EvaluationContext& context,
                                 Dwarf_Attribute* attribute = nullptr);

/// The `size` bytes (1 to 8) at a location, zero-extended.
std::optional<std::uint64_t> read_location(const Location& location,
                                           const EvaluationContext& context, std::uint64_t size);

} // namespace pygc::image
