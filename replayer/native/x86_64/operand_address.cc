// Where an instruction of x86-64 accesses memory (Intel SDM volume 2, chapter 2).
#include "replayer/native/machine.h"

#include <array>

namespace pygc::replayer::machine {
namespace {

constexpr std::size_t longest_instruction = 15;
// Of the number that ModRM, SIB and REX give, in the order of the processor.
constexpr std::array<int, 16> registers{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                        REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                        REG_R12, REG_R13, REG_R14, REG_R15};
constexpr unsigned stack_pointer = 4;
constexpr unsigned base_pointer = 5;
constexpr unsigned source_index = 6;
constexpr unsigned destination_index = 7;

bool is_canonical(std::uint64_t address) {
  const auto sign = static_cast<std::int64_t>(address) >> 47;
  return sign == 0 || sign == -1;
}

class Decoder {
public:
  explicit Decoder(const ucontext_t& context)
      : context_(context), at_(reinterpret_cast<const std::uint8_t*>(program_counter(context))),
        start_(at_) {}

  std::uint64_t address() {
    prefixes();
    std::uint8_t opcode = byte();
    if (opcode == 0xc5 || opcode == 0xc4) {
      return vector_operand(opcode);
    }
    if (opcode != 0x0f) {
      return one_byte_opcode(opcode);
    }
    opcode = byte();
    if (opcode == 0x38 || opcode == 0x3a) {
      byte();
      return memory_operand();
    }
    return has_modrm_behind_0f(opcode) ? memory_operand() : 0;
  }

private:
  std::uint8_t byte() { return at_ < start_ + longest_instruction ? *at_++ : std::uint8_t{0}; }
  std::uint64_t value(unsigned number) const {
    return static_cast<std::uint64_t>(context_.uc_mcontext.gregs[registers[number & 15U]]);
  }

  void prefixes() {
    for (; at_ < start_ + longest_instruction; ++at_) {
      switch (*at_) {
      case 0x64: // fs and gs, whose bases are not known here
      case 0x65:
        segment_ = true;
        break;
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
      case 0x66:
      case 0x67:
      case 0xf0:
      case 0xf2:
      case 0xf3:
        break;
      default:
        if ((*at_ & 0xf0U) == 0x40) {
          rex_ = *at_++;
        }
        return;
      }
    }
  }

  std::uint64_t one_byte_opcode(std::uint8_t opcode) {
    const unsigned low = opcode & 7U;
    const bool arithmetic = opcode < 0x40 && low < 4;
    const bool group = (opcode >= 0x80 && opcode <= 0x8f) || (opcode >= 0xd0 && opcode <= 0xd3) ||
                       (opcode >= 0xd8 && opcode <= 0xdf);
    switch (opcode) {
    case 0x63:
    case 0x69:
    case 0x6b:
    case 0xc0:
    case 0xc1:
    case 0xc6:
    case 0xc7:
    case 0xf6:
    case 0xf7:
    case 0xfe:
      return memory_operand();
    case 0xff:
      return group_ff();
    case 0xa4: // string instructions
    case 0xa5:
    case 0xa6:
    case 0xa7:
    case 0xac:
    case 0xad:
      return first_not_canonical(value(source_index), value(destination_index));
    case 0xaa:
    case 0xab:
    case 0xae:
    case 0xaf:
      return value(destination_index);
    case 0xc3: // ret
      return value(stack_pointer);
    default:
      return arithmetic || group ? memory_operand() : 0;
    }
  }

  /// inc, dec, call, jmp, push: a call of a register uses its value.
  std::uint64_t group_ff() {
    const std::uint8_t modrm = at_ < start_ + longest_instruction ? *at_ : std::uint8_t{0};
    const unsigned operation = modrm >> 3U & 7U;
    if (modrm >> 6U == 3) {
      return operation == 2 || operation == 4 ? value((modrm & 7U) | (rex_ & 1U) << 3U) : 0;
    }
    return memory_operand();
  }

  static std::uint64_t first_not_canonical(std::uint64_t a, std::uint64_t b) {
    return is_canonical(a) ? b : a;
  }

  static bool has_modrm_behind_0f(std::uint8_t opcode) {
    return !((opcode >= 0x05 && opcode <= 0x0b) || (opcode >= 0x30 && opcode <= 0x37) ||
             opcode == 0x77 || (opcode >= 0x80 && opcode <= 0x8f) ||
             (opcode >= 0xa0 && opcode <= 0xa2) || (opcode >= 0xa8 && opcode <= 0xaa) ||
             (opcode >= 0xc8 && opcode <= 0xcf));
  }

  /// VEX: what REX says is in it, inverted.
  std::uint64_t vector_operand(std::uint8_t opcode) {
    const std::uint8_t first = byte();
    if (opcode == 0xc4) {
      rex_ = static_cast<std::uint8_t>(~std::uint32_t{first} >> 5U & 3U); // X and B
      byte();
    }
    byte(); // the opcode
    return memory_operand();
  }

  std::uint64_t displacement(unsigned bytes) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      bits |= std::uint32_t{byte()} << (8 * i);
    }
    const auto signed_bits = bytes == 1 ? static_cast<std::int32_t>(static_cast<std::int8_t>(bits))
                                        : static_cast<std::int32_t>(bits);
    return static_cast<std::uint64_t>(std::int64_t{signed_bits});
  }

  std::uint64_t memory_operand() {
    const std::uint8_t modrm = byte();
    const unsigned mode = modrm >> 6U;
    const unsigned low = modrm & 7U;
    if (mode == 3 || segment_) {
      return 0;
    }
    std::uint64_t address = 0;
    bool bare = mode == 0 && low == base_pointer; // relative to the instruction: always canonical
    if (bare) {
      return 0;
    }
    if (low == stack_pointer) {
      const std::uint8_t sib = byte();
      const unsigned index = (sib >> 3U & 7U) | (rex_ & 2U) << 2U;
      const unsigned base = sib & 7U;
      if (index != stack_pointer) {
        address = value(index) << (sib >> 6U);
      }
      bare = mode == 0 && base == base_pointer;
      if (!bare) {
        address += value(base | (rex_ & 1U) << 3U);
      }
    } else {
      address = value(low | (rex_ & 1U) << 3U);
    }
    if (mode == 1) {
      return address + displacement(1);
    }
    return mode == 2 || bare ? address + displacement(4) : address;
  }

  const ucontext_t& context_;
  const std::uint8_t* at_;
  const std::uint8_t* start_;
  std::uint8_t rex_ = 0;
  bool segment_ = false;
};

} // namespace

std::uint64_t operand_address(const ucontext_t& context) {
  const std::uint64_t pc = program_counter(context);
  return is_canonical(pc) ? Decoder(context).address() : pc; // a jump to nowhere
}

} // namespace pygc::replayer::machine
