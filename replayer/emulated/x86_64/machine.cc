#include "replayer/emulated/machine.h"

#include "replayer/emulated/x86_64/vector_unit.h"
#include "replayer/shared/gc_refs.h"

#include <array>
#include <cstring>

namespace pygc::replayer::machine {
namespace {

// Interrupts as the processor numbers them.
constexpr std::uint32_t divide_error = 0;
constexpr std::uint32_t debug_trap = 1;
constexpr std::uint32_t breakpoint = 3;
constexpr std::uint32_t x87_error = 16;
constexpr std::uint32_t simd_error = 19;
constexpr std::uint32_t linux_call = 0x80;

class Writer {
public:
  explicit Writer(std::span<std::byte> at) : at_(at) {}

  Writer& bytes(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) {
      at_[used_++] = static_cast<std::byte>(value);
    }
    return *this;
  }
  Writer& displacement(std::int64_t value) {
    const auto narrow = static_cast<std::int32_t>(value);
    std::memcpy(at_.data() + used_, &narrow, sizeof(narrow));
    used_ += sizeof(narrow);
    return *this;
  }

private:
  std::span<std::byte> at_;
  std::size_t used_ = 0;
};

/// The instruction behind its prefixes.
struct Opcode {
  unsigned byte = 0;
  unsigned second = 0;
  unsigned third = 0;
  bool vex = false; // VEX or EVEX
};

constexpr bool is_legacy_prefix(unsigned byte) {
  switch (byte) {
  case 0x26:
  case 0x2e:
  case 0x36:
  case 0x3e:
  case 0x64:
  case 0x65:
  case 0x66:
  case 0x67:
  case 0xf0:
  case 0xf2:
  case 0xf3:
    return true;
  default:
    return false;
  }
}

Opcode decode(std::span<const std::byte> bytes) {
  auto at = [&](std::size_t i) {
    return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0x90U;
  };
  std::size_t i = 0;
  while (i < bytes.size() && is_legacy_prefix(at(i))) {
    ++i;
  }
  if ((at(i) & 0xf0U) == 0x40) { // REX
    ++i;
  }
  Opcode opcode{at(i), at(i + 1), at(i + 2), false};
  opcode.vex = opcode.byte == 0xc4 || opcode.byte == 0xc5 || opcode.byte == 0x62;
  if (opcode.byte == 0xc4) {
    opcode.third = at(i + 3); // behind two bytes of VEX
  }
  return opcode;
}

/// The VEX instructions on general registers (BMI1, BMI2), which the emulator knows. It takes other
/// VEX instructions for the SSE instruction with the same opcode.
bool is_known_vex(const Opcode& opcode) {
  const unsigned map = opcode.second & 0x1fU;
  const bool bmi = opcode.third == 0xf2 || opcode.third == 0xf3 || opcode.third == 0xf5 ||
                   opcode.third == 0xf6 || opcode.third == 0xf7;
  return opcode.byte == 0xc4 && ((map == 2 && bmi) || (map == 3 && opcode.third == 0xf0));
}

/// xsave, xrstor and their kin (with a register operand they are fences).
bool is_state_transfer(const Opcode& opcode) {
  const unsigned member = opcode.third >> 3U & 7U;
  return opcode.byte == 0x0f && opcode.third < 0xc0 &&
         ((opcode.second == 0xae && member >= 4 && member <= 6) ||
          (opcode.second == 0xc7 && member == 4));
}

bool is_privileged_0f(const Opcode& opcode) {
  switch (opcode.second) {
  case 0x00: // lldt and the like
  case 0x06:
  case 0x07:
  case 0x08:
  case 0x09:
  case 0x20:
  case 0x21:
  case 0x22:
  case 0x23:
  case 0x30:
  case 0x32:
  case 0x33:
  case 0x35:
    return true;
  case 0x01: // with a memory operand: lgdt and the like
    return opcode.third < 0xc0 || opcode.third == 0xf8;
  default:
    return false;
  }
}

bool is_privileged(const Opcode& opcode) {
  switch (opcode.byte) {
  case 0x0f:
    return is_privileged_0f(opcode);
  case 0x6c: // ins, outs
  case 0x6d:
  case 0x6e:
  case 0x6f:
  case 0xe4: // in, out
  case 0xe5:
  case 0xe6:
  case 0xe7:
  case 0xec:
  case 0xed:
  case 0xee:
  case 0xef:
  case 0xf4: // hlt
  case 0xfa: // cli, sti
  case 0xfb:
    return true;
  default:
    return false;
  }
}

} // namespace

void write_own_code(std::span<std::byte> page, const replay::protocol::Setup& setup) {
  Writer(page.subspan(driver)).bytes({0xff, 0xd0, 0xfc, 0xeb, 0xfb}); // 1: call *%rax; cld; jmp 1b
  Writer(page.subspan(record_visitor)).bytes({0x31, 0xc0, 0xc3});     // xor %eax,%eax; ret
  const std::int64_t prev = std::int64_t{setup.shape.gc_prev} - setup.shape.gc_head_size;
  Writer(page.subspan(decrement_visitor))
      .bytes({0x48, 0x8b, 0x87}) // mov ob_type(%rdi),%rax
      .displacement(setup.shape.ob_type)
      .bytes({0x48, 0x0f, 0xba, 0xa0}) // btq $have_gc,tp_flags(%rax)
      .displacement(setup.shape.tp_flags)
      .bytes({setup.shape.tp_flags_have_gc_bit})
      .bytes({0x73, 0x25})       // jnc 2f
      .bytes({0x48, 0x8b, 0x80}) // mov tp_is_gc(%rax),%rax
      .displacement(setup.shape.tp_is_gc)
      .bytes({0x48, 0x85, 0xc0})       // test %rax,%rax
      .bytes({0x74, 0x08})             // jz 1f
      .bytes({0x57, 0xff, 0xd0, 0x5f}) // push %rdi; call *%rax; pop %rdi
      .bytes({0x85, 0xc0, 0x74, 0x11}) // test %eax,%eax; jz 2f
      .bytes({0xf6, 0x87})             // 1: testb $2,gc_prev(%rdi)
      .displacement(prev)
      .bytes({collecting_bit})
      .bytes({0x74, 0x08})       // jz 2f
      .bytes({0x48, 0x83, 0xaf}) // subq $4,gc_prev(%rdi)
      .displacement(prev)
      .bytes({1U << gc_refs_shift})
      .bytes({0x31, 0xc0, 0xc3}); // 2: xor %eax,%eax; ret
}

Instruction classify(std::span<const std::byte> bytes) {
  const Opcode opcode = decode(bytes);
  if (opcode.vex) {
    return is_known_vex(opcode) ? Instruction::ordinary : Instruction::unsupported;
  }
  if (is_state_transfer(opcode)) {
    return Instruction::unsupported;
  }
  if (opcode.byte == 0x0f && (opcode.second == 0x05 || opcode.second == 0x34)) {
    return Instruction::system_call;
  }
  return is_privileged(opcode) ? Instruction::privileged : Instruction::ordinary;
}

Instruction classify_refused(std::span<const std::byte> bytes) {
  const Opcode opcode = decode(bytes);
  if (opcode.byte == 0x0f) {
    const bool undefined = opcode.second == 0x0b || opcode.second == 0xb9 || opcode.second == 0xff;
    return undefined ? Instruction::illegal : Instruction::unsupported;
  }
  return opcode.vex ? Instruction::unsupported : Instruction::illegal;
}

uc_engine* open_emulator() {
  uc_engine* emulator = nullptr;
  if (uc_open(UC_ARCH_X86, UC_MODE_64, &emulator) != UC_ERR_OK) {
    return nullptr;
  }
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): Unicorn's macro casts so.
  if (uc_ctl_set_cpu_model(emulator, UC_CPU_X86_ICELAKE_SERVER) != UC_ERR_OK) {
    uc_close(emulator);
    return nullptr;
  }
  std::uint64_t any = 0; // Unicorn makes its processor when it is first asked of it
  uc_reg_read(emulator, UC_X86_REG_RIP, &any);
  return emulator;
}

const Registers registers = {.pc = UC_X86_REG_RIP,
                             .sp = UC_X86_REG_RSP,
                             .thread_pointer = UC_X86_REG_FS_BASE,
                             .result = UC_X86_REG_RAX,
                             .system_call = UC_X86_REG_RAX,
                             .function = UC_X86_REG_RAX,
                             .first_argument = UC_X86_REG_RDI,
                             .second_argument = UC_X86_REG_RSI,
                             .third_argument = UC_X86_REG_RDX,
                             .fourth_argument = UC_X86_REG_RCX,
                             .fifth_argument = UC_X86_REG_R8};

Interrupt classify_interrupt(std::uint32_t number) {
  switch (number) {
  case debug_trap:
  case breakpoint:
    return Interrupt::breakpoint;
  case divide_error:
  case x87_error:
  case simd_error:
    return Interrupt::arithmetic;
  case linux_call:
    return Interrupt::system_call;
  default:
    return Interrupt::other;
  }
}

std::unique_ptr<Supplement> make_supplement(uc_engine* emulator, SupplementMemory& memory) {
  return std::make_unique<VectorUnit>(emulator, memory);
}

} // namespace pygc::replayer::machine
