#include "common/image/dwarf/dwarf_eval.h"

#include <algorithm>
#include <dwarf.h>
#include <vector>

namespace pygc::image {
namespace {

// Loops in expressions are possible; none of a real compiler is longer.
constexpr int max_steps = 1000;
constexpr std::size_t max_stack = 64;

class Machine {
public:
  Machine(std::span<const Dwarf_Op> operations, const EvaluationContext& context,
          Dwarf_Attribute* attribute)
      : operations_(operations), context_(context), attribute_(attribute) {}

  std::optional<Location> run() {
    int steps = 0;
    for (at_ = 0; at_ < operations_.size(); ++at_) {
      const Dwarf_Op& op = operations_[at_];
      const bool last = at_ + 1 == operations_.size();
      if (++steps > max_steps || stack_.size() > max_stack) {
        return std::nullopt;
      }
      if (last) {
        if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31) {
          return Location{.kind = Location::Kind::register_number,
                          .value = std::uint64_t{op.atom} - DW_OP_reg0};
        }
        if (op.atom == DW_OP_regx) {
          return Location{.kind = Location::Kind::register_number, .value = op.number};
        }
        if (op.atom == DW_OP_stack_value && !stack_.empty()) {
          return Location{.kind = Location::Kind::value, .value = stack_.back()};
        }
      }
      if (!push(op) && !arrange(op) && !memory(op) && !unary(op) && !binary(op) && !branch(op)) {
        return std::nullopt;
      }
    }
    if (stack_.empty()) {
      return std::nullopt;
    }
    return Location{.kind = Location::Kind::memory, .value = stack_.back()};
  }

private:
  bool push_value(std::optional<std::uint64_t> value) {
    if (!value) {
      return false;
    }
    stack_.push_back(*value);
    return true;
  }

  bool push_register(std::uint64_t number, std::uint64_t offset) {
    if (number >= context_.registers->size()) {
      return false;
    }
    const auto value = (*context_.registers)[number];
    return value && push_value(*value + offset);
  }

  bool push(const Dwarf_Op& op) {
    if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31) {
      return push_value(std::uint64_t{op.atom} - DW_OP_lit0);
    }
    if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31) {
      return push_register(std::uint64_t{op.atom} - DW_OP_breg0, op.number);
    }
    switch (op.atom) {
    case DW_OP_addr:
      return push_value(op.number + context_.bias);
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
      return push_value(op.number);
    case DW_OP_bregx:
      return push_register(op.number, op.number2);
    case DW_OP_fbreg:
      return context_.frame_base && push_value(*context_.frame_base + op.number);
    case DW_OP_call_frame_cfa:
      return push_value(context_.cfa);
    default:
      return false;
    }
  }

  // Only the plain form is understood: a register at entry.
  std::optional<std::uint64_t> entry_value(const Dwarf_Op& op) const {
    Dwarf_Attribute inner;
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if (attribute_ == nullptr || !context_.entry_register ||
        ::dwarf_getlocation_attr(attribute_, &op, &inner) != 0 ||
        ::dwarf_getlocation(&inner, &operations, &count) != 0 || count != 1) {
      return std::nullopt;
    }
    const unsigned atom = operations[0].atom;
    if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) {
      return context_.entry_register(atom - DW_OP_reg0);
    }
    return std::nullopt;
  }

  bool arrange(const Dwarf_Op& op) {
    const std::size_t n = stack_.size();
    switch (op.atom) {
    case DW_OP_nop:
      return true;
    case DW_OP_dup:
      return n >= 1 && push_value(stack_[n - 1]);
    case DW_OP_over:
      return n >= 2 && push_value(stack_[n - 2]);
    case DW_OP_pick:
      return op.number < n && push_value(stack_[n - 1 - op.number]);
    case DW_OP_drop:
      if (n == 0) {
        return false;
      }
      stack_.pop_back();
      return true;
    case DW_OP_swap:
      if (n < 2) {
        return false;
      }
      std::swap(stack_[n - 1], stack_[n - 2]);
      return true;
    case DW_OP_rot:
      if (n < 3) {
        return false;
      }
      std::rotate(stack_.end() - 3, stack_.end() - 1, stack_.end());
      return true;
    default:
      return false;
    }
  }

  bool memory(const Dwarf_Op& op) {
    if ((op.atom != DW_OP_deref && op.atom != DW_OP_deref_size) || stack_.empty()) {
      return false;
    }
    const std::uint64_t size = op.atom == DW_OP_deref ? sizeof(std::uint64_t) : op.number;
    const auto value =
        read_location({.kind = Location::Kind::memory, .value = stack_.back()}, context_, size);
    stack_.pop_back();
    return push_value(value);
  }

  bool unary(const Dwarf_Op& op) {
    if (stack_.empty()) {
      return false;
    }
    std::uint64_t& top = stack_.back();
    switch (op.atom) {
    case DW_OP_neg:
      top = 0 - top;
      return true;
    case DW_OP_not:
      top = ~top;
      return true;
    case DW_OP_abs:
      top = static_cast<std::int64_t>(top) < 0 ? 0 - top : top;
      return true;
    case DW_OP_plus_uconst:
      top += op.number;
      return true;
    default:
      return false;
    }
  }

  static std::optional<std::uint64_t> apply(unsigned atom, std::uint64_t a, std::uint64_t b) {
    const auto signed_a = static_cast<std::int64_t>(a);
    const auto signed_b = static_cast<std::int64_t>(b);
    switch (atom) {
    case DW_OP_plus:
      return a + b;
    case DW_OP_minus:
      return a - b;
    case DW_OP_mul:
      return a * b;
    case DW_OP_and:
      return a & b;
    case DW_OP_or:
      return a | b;
    case DW_OP_xor:
      return a ^ b;
    case DW_OP_shl:
      return b < 64 ? a << b : 0;
    case DW_OP_shr:
      return b < 64 ? a >> b : 0;
    case DW_OP_shra:
      return static_cast<std::uint64_t>(signed_a >> std::min<std::uint64_t>(b, 63));
    case DW_OP_eq:
      return a == b ? 1 : 0;
    case DW_OP_ne:
      return a != b ? 1 : 0;
    case DW_OP_lt:
      return signed_a < signed_b ? 1 : 0;
    case DW_OP_le:
      return signed_a <= signed_b ? 1 : 0;
    case DW_OP_gt:
      return signed_a > signed_b ? 1 : 0;
    case DW_OP_ge:
      return signed_a >= signed_b ? 1 : 0;
    default:
      return std::nullopt;
    }
  }

  bool binary(const Dwarf_Op& op) {
    if (stack_.size() < 2) {
      return false;
    }
    const auto value = apply(op.atom, stack_[stack_.size() - 2], stack_.back());
    if (!value) {
      return false;
    }
    stack_.pop_back();
    stack_.back() = *value;
    return true;
  }

  // libdw gives the distance in bytes from behind the operation.
  bool branch(const Dwarf_Op& op) {
    if (op.atom != DW_OP_bra && op.atom != DW_OP_skip) {
      return false;
    }
    if (op.atom == DW_OP_bra) {
      if (stack_.empty()) {
        return false;
      }
      const std::uint64_t condition = stack_.back();
      stack_.pop_back();
      if (condition == 0) {
        return true;
      }
    }
    const std::uint64_t target = op.offset + 3 + op.number;
    const auto found = std::ranges::find(operations_, target, &Dwarf_Op::offset);
    if (found == operations_.end()) {
      return false;
    }
    at_ = static_cast<std::size_t>(found - operations_.begin()) - 1; // the loop steps on
    return true;
  }

  std::span<const Dwarf_Op> operations_;
  const EvaluationContext& context_;
  Dwarf_Attribute* attribute_;
  std::vector<std::uint64_t> stack_;
  std::size_t at_ = 0;
};

std::uint64_t low_bytes(std::uint64_t value, std::uint64_t size) {
  return size >= 8 ? value : value & ((std::uint64_t{1} << (size * 8)) - 1);
}

} // namespace

std::optional<Location> evaluate(std::span<const Dwarf_Op> operations,
                                 const EvaluationContext& context, Dwarf_Attribute* attribute) {
  return Machine(operations, context, attribute).run();
}

std::optional<std::uint64_t> read_location(const Location& location,
                                           const EvaluationContext& context, std::uint64_t size) {
  if (size == 0 || size > sizeof(std::uint64_t)) {
    return std::nullopt;
  }
  switch (location.kind) {
  case Location::Kind::value:
    return low_bytes(location.value, size);
  case Location::Kind::register_number: {
    if (location.value >= context.registers->size()) {
      return std::nullopt;
    }
    const auto value = (*context.registers)[location.value];
    return value ? std::optional(low_bytes(*value, size)) : std::nullopt;
  }
  case Location::Kind::memory: {
    std::uint64_t value = 0;
    if (!context.memory->read(location.value,
                              std::as_writable_bytes(std::span(&value, 1)).first(size))) {
      return std::nullopt;
    }
    return value;
  }
  }
  return std::nullopt;
}

} // namespace pygc::image
