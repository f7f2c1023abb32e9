#include "replayer/emulated/x86_64/vector_unit.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

namespace pygc::replayer {
namespace {

using machine::VexInstruction;

constexpr std::array general_registers{
    UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
    UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
    UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};

// Of the flags register.
constexpr std::uint64_t carry_flag = 0x1;
constexpr std::uint64_t zero_flag = 0x40;
constexpr std::uint64_t arithmetic_flags = 0x8d5; // carry, parity, adjust, zero, sign, overflow

// Of areas that the registers were saved to; the linker's nest a few deep at most.
constexpr std::size_t max_saved = 64;

} // namespace

std::uint64_t VectorUnit::get_general(int number) const {
  std::uint64_t value = 0;
  if (number >= 0) {
    uc_reg_read(emulator_, general_registers[static_cast<unsigned>(number)], &value);
  }
  return value;
}

void VectorUnit::set_general(unsigned number, std::uint64_t value) {
  uc_reg_write(emulator_, general_registers[number], &value);
}

void VectorUnit::set_flags(bool zero, bool carry) {
  std::uint64_t flags = 0;
  uc_reg_read(emulator_, UC_X86_REG_RFLAGS, &flags);
  flags = (flags & ~arithmetic_flags) | (zero ? zero_flag : 0) | (carry ? carry_flag : 0);
  uc_reg_write(emulator_, UC_X86_REG_RFLAGS, &flags);
}

VectorUnit::Vector VectorUnit::get(unsigned number) const {
  if (part_ == Part::far) {
    return far_[number];
  }
  if (number >= upper_.size()) {
    return high_[number - upper_.size()];
  }
  Vector value{};
  uc_reg_read(emulator_, UC_X86_REG_XMM0 + static_cast<int>(number), value.data());
  std::ranges::copy(upper_[number], value.begin() + 16);
  return value;
}

void VectorUnit::set(unsigned number, const Vector& value, bool vector256) {
  if (part_ == Part::far) {
    far_[number] = value;
    return;
  }
  if (part_ == Part::whole) {
    far_[number] = {};
  }
  if (number >= upper_.size()) {
    Vector& to = high_[number - upper_.size()];
    to = {};
    std::copy_n(value.begin(), vector256 ? 32 : 16, to.begin());
    return;
  }
  uc_reg_write(emulator_, UC_X86_REG_XMM0 + static_cast<int>(number), value.data());
  if (vector256) {
    std::copy_n(value.begin() + 16, 16, upper_[number].begin());
  } else {
    upper_[number] = {};
  }
}

std::uint64_t VectorUnit::effective_address(std::uint64_t pc, const Instruction& in) const {
  const std::uint64_t start = in.relative ? pc + in.length : get_general(in.base);
  return start + (get_general(in.index) << in.scale) + static_cast<std::uint64_t>(in.displacement);
}

bool VectorUnit::load_operand(std::uint64_t pc, const Instruction& in, std::size_t size,
                              Vector& to) {
  if (in.memory) {
    to = {};
    return memory_.read(effective_address(pc, in),
                        std::as_writable_bytes(std::span(to).first(size)));
  }
  to = get(in.rm);
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(size), to.end(), std::uint8_t{0});
  return true;
}

VectorUnit::Result VectorUnit::store_operand(std::uint64_t pc, const Instruction& in,
                                             std::size_t size, Vector value) {
  if (!in.memory) {
    std::fill(value.begin() + static_cast<std::ptrdiff_t>(size), value.end(), std::uint8_t{0});
    set(in.rm, value, size == value.size());
    return Result::done;
  }
  return memory_.write(effective_address(pc, in), std::as_bytes(std::span(value).first(size)))
             ? Result::done
             : Result::faulted;
}

VectorUnit::Result VectorUnit::move(std::uint64_t pc, const Instruction& in, std::size_t size,
                                    bool store) {
  if (!store) {
    Vector value;
    if (!load_operand(pc, in, size, value)) {
      return Result::faulted;
    }
    set(in.reg, value, in.vector256);
    return Result::done;
  }
  return store_operand(pc, in, size, get(in.reg));
}

/// vmovd, vmovq between a vector and a general register or memory.
VectorUnit::Result VectorUnit::general_move(std::uint64_t pc, const Instruction& in) {
  const std::size_t size = in.wide ? 8 : 4;
  if (in.memory) {
    return move(pc, in, size, in.opcode == 0x7e);
  }
  Vector value{};
  if (in.opcode == 0x6e) {
    const std::uint64_t from = get_general(static_cast<int>(in.rm));
    std::memcpy(value.data(), &from, size);
    set(in.reg, value, false);
    return Result::done;
  }
  value = get(in.reg);
  std::uint64_t to = 0;
  std::memcpy(&to, value.data(), size);
  set_general(in.rm, to);
  return Result::done;
}

VectorUnit::Result VectorUnit::broadcast(std::uint64_t pc, const Instruction& in,
                                         std::size_t element) {
  Vector from;
  if (!load_operand(pc, in, element, from)) {
    return Result::faulted;
  }
  Vector value{};
  for (std::size_t i = 0; i < value.size(); ++i) {
    value[i] = from[i % element];
  }
  set(in.reg, value, in.vector256);
  return Result::done;
}

VectorUnit::Result VectorUnit::to_mask(const Instruction& in) {
  if (in.memory) {
    return Result::unknown;
  }
  const Vector value = get(in.rm);
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < size_of(in); ++i) {
    mask |= std::uint64_t{value[i]} >> 7U << i;
  }
  set_general(in.reg, mask);
  return Result::done;
}

VectorUnit::Result VectorUnit::test(std::uint64_t pc, const Instruction& in) {
  Vector second;
  if (!load_operand(pc, in, size_of(in), second)) {
    return Result::faulted;
  }
  const Vector first = get(in.reg);
  bool none = true;
  bool all = true;
  for (std::size_t i = 0; i < size_of(in); ++i) {
    none = none && (first[i] & second[i]) == 0;
    all = all && (second[i] & ~first[i]) == 0;
  }
  set_flags(none, all);
  return Result::done;
}

template <class Element, class Operation>
VectorUnit::Result VectorUnit::combine(std::uint64_t pc, const Instruction& in,
                                       Operation operation) {
  Vector second;
  if (!load_operand(pc, in, size_of(in), second)) {
    return Result::faulted;
  }
  // All 32 bytes, whatever the instruction's size: set() drops what is beyond.
  using Elements = std::array<Element, sizeof(Vector) / sizeof(Element)>;
  const auto a = std::bit_cast<Elements>(get(in.second));
  const auto b = std::bit_cast<Elements>(second);
  Elements c;
  std::ranges::transform(a, b, c.begin(), [&operation](Element x, Element y) {
    return static_cast<Element>(operation(x, y));
  });
  set(in.reg, std::bit_cast<Vector>(c), in.vector256);
  return Result::done;
}

VectorUnit::Result VectorUnit::dispatch(std::uint64_t pc, const Instruction& in) {
  using U8 = std::uint8_t;
  using U16 = std::uint16_t;
  using U32 = std::uint32_t;
  using U64 = std::uint64_t;
  const auto equal = [](auto a, auto b) { return a == b ? ~U64{0} : U64{0}; };
  switch (in.key()) {
  case 0x10077: // vzeroupper, vzeroall
    for (unsigned i = 0; i < 16; ++i) {
      set(i, in.vector256 ? Vector{} : get(i), false);
    }
    return Result::done;
  case 0x1016f: // vmovdqa, vmovdqu
  case 0x1026f:
  case 0x10010: // vmovups, vmovupd, vmovaps, vmovapd
  case 0x10110:
  case 0x10028:
  case 0x10128:
  case 0x103f0: // vlddqu
    return move(pc, in, size_of(in), false);
  case 0x1017f:
  case 0x1027f:
  case 0x10011:
  case 0x10111:
  case 0x10029:
  case 0x10129:
  case 0x101e7: // vmovntdq
  case 0x1002b: // vmovntps
    return move(pc, in, size_of(in), true);
  case 0x1016e:
  case 0x1017e:
    return general_move(pc, in);
  case 0x1027e: // vmovq
    return move(pc, in, 8, false);
  case 0x101d6:
    return move(pc, in, 8, true);
  case 0x20178:
    return broadcast(pc, in, 1);
  case 0x20179:
    return broadcast(pc, in, 2);
  case 0x20158:
    return broadcast(pc, in, 4);
  case 0x20159:
    return broadcast(pc, in, 8);
  case 0x101d7:
    return to_mask(in);
  case 0x20117:
    return test(pc, in);
  case 0x10174:
    return combine<U8>(pc, in, equal);
  case 0x10175:
    return combine<U16>(pc, in, equal);
  case 0x10176:
    return combine<U32>(pc, in, equal);
  case 0x20129:
    return combine<U64>(pc, in, equal);
  case 0x101da:
    return combine<U8>(pc, in, [](U8 a, U8 b) { return std::min(a, b); });
  case 0x101de:
    return combine<U8>(pc, in, [](U8 a, U8 b) { return std::max(a, b); });
  case 0x2013b:
    return combine<U32>(pc, in, [](U32 a, U32 b) { return std::min(a, b); });
  case 0x101f8:
    return combine<U8>(pc, in, std::minus<>());
  case 0x101fc:
    return combine<U8>(pc, in, std::plus<>());
  case 0x101eb: // vpor, vorps, vorpd
  case 0x10056:
  case 0x10156:
    return combine<U64>(pc, in, std::bit_or<>());
  case 0x101db: // vpand, vandps, vandpd
  case 0x10054:
  case 0x10154:
    return combine<U64>(pc, in, std::bit_and<>());
  case 0x101ef: // vpxor, vxorps, vxorpd
  case 0x10057:
  case 0x10157:
    return combine<U64>(pc, in, std::bit_xor<>());
  case 0x101df: // vpandn
    return combine<U64>(pc, in, [](U64 a, U64 b) { return ~a & b; });
  default:
    return dispatch_lanes(pc, in);
  }
}

void VectorUnit::transfer_state(machine::StateTransfer direction, std::uint64_t address) {
  auto saved = std::ranges::find(saved_, address, &Saved::address);
  if (direction == machine::StateTransfer::save) {
    if (saved == saved_.end()) {
      if (saved_.size() == max_saved) {
        saved_.clear();
      }
      saved = saved_.insert(saved_.end(), Saved{address, {}});
    }
    for (unsigned i = 0; i < saved->registers.size(); ++i) {
      saved->registers[i] = get(i);
    }
  } else if (saved != saved_.end()) {
    part_ = Part::near; // what lies above is not saved, and stays
    for (unsigned i = 0; i < saved->registers.size(); ++i) {
      set(i, saved->registers[i], true);
    }
    part_ = Part::whole;
  }
}

VectorUnit::Result VectorUnit::execute(std::uint64_t pc, std::span<const std::byte> bytes) {
  VexInstruction operand;
  const auto transfer = machine::decode_state_transfer(bytes, operand);
  if (transfer != machine::StateTransfer::none) {
    transfer_state(transfer, effective_address(pc, operand));
    const std::uint64_t next = pc + operand.length;
    uc_reg_write(emulator_, UC_X86_REG_RIP, &next);
    return Result::done;
  }
  const auto instruction = machine::decode_vex(bytes);
  if (!instruction) {
    return Result::unknown;
  }
  const Result result = instruction->vector512 ? dispatch_halves(pc, *instruction)
                        : instruction->evex    ? dispatch_evex(pc, *instruction)
                                               : dispatch(pc, *instruction);
  if (result == Result::done) {
    const std::uint64_t next = pc + instruction->length;
    uc_reg_write(emulator_, UC_X86_REG_RIP, &next);
  }
  return result;
}

} // namespace pygc::replayer
