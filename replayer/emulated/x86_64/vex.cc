#include "replayer/emulated/x86_64/vex.h"

namespace pygc::replayer::machine {
namespace {

constexpr unsigned no_operands_opcode = 0x77; // vzeroupper, in map 1

class Reader {
public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  unsigned byte() {
    if (used_ == bytes_.size()) {
      short_ = true;
      return 0;
    }
    return std::to_integer<unsigned>(bytes_[used_++]);
  }
  std::int64_t displacement8() { return static_cast<std::int8_t>(byte()); }
  std::int64_t displacement32() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
      value |= byte() << shift;
    }
    return static_cast<std::int32_t>(value);
  }

  std::size_t used() const { return used_; }
  bool complete() const { return !short_; }

private:
  std::span<const std::byte> bytes_;
  std::size_t used_ = 0;
  bool short_ = false;
};

/// The bits that extend register numbers.
struct Extension {
  unsigned reg = 0;
  unsigned index = 0;
  unsigned base = 0;
};

/// `unit`: what one step of a displacement of 8 bits stands for.
void read_memory_operand(Reader& in, unsigned mode, unsigned rm, const Extension& extension,
                         std::int64_t unit, VexInstruction& out) {
  out.memory = true;
  unsigned base = rm;
  if (rm == 4) {
    const unsigned sib = in.byte();
    const unsigned index = (sib >> 3U & 7U) | extension.index;
    out.scale = sib >> 6U;
    out.index = index == 4 ? -1 : static_cast<int>(index);
    base = sib & 7U;
  }
  if (mode == 0 && base == 5) {
    out.relative = rm == 5;
    out.displacement = in.displacement32();
    return;
  }
  out.base = static_cast<int>(base | extension.base);
  if (mode == 1) {
    out.displacement = in.displacement8() * unit;
  } else if (mode == 2) {
    out.displacement = in.displacement32();
  }
}

} // namespace

StateTransfer decode_state_transfer(std::span<const std::byte> bytes, VexInstruction& operand) {
  Reader in(bytes);
  Extension extension;
  unsigned opcode = in.byte();
  if ((opcode & 0xf0U) == 0x40) { // REX
    extension.index = (opcode >> 1U & 1U) << 3U;
    extension.base = (opcode & 1U) << 3U;
    opcode = in.byte();
  }
  if (opcode != 0x0f) {
    return StateTransfer::none;
  }
  const unsigned group = in.byte();
  const unsigned modrm = in.byte();
  const unsigned mode = modrm >> 6U;
  const unsigned member = modrm >> 3U & 7U;
  const bool save =
      (group == 0xae && (member == 4 || member == 6)) || (group == 0xc7 && member == 4);
  const bool restore = group == 0xae && member == 5;
  if (mode == 3 || (!save && !restore)) {
    return StateTransfer::none;
  }
  read_memory_operand(in, mode, modrm & 7U, extension, 1, operand);
  operand.length = in.used();
  if (!in.complete()) {
    return StateTransfer::none;
  }
  return save ? StateTransfer::save : StateTransfer::restore;
}

namespace {

bool has_immediate(const VexInstruction& in) {
  return in.map == 3 || (in.map == 1 && in.opcode >= 0x70 && in.opcode <= 0x73);
}

/// The operand of an instruction on one word or double word is that; of all others, the vector.
std::int64_t displacement_unit(const VexInstruction& in) {
  switch (in.key()) {
  case 0x1016e: // vmovd, vmovq
  case 0x1017e:
    return in.wide ? 8 : 4;
  case 0x1027e:
  case 0x101d6:
    return 8;
  default:
    return in.vector512 ? 64 : in.vector256 ? 32 : 16;
  }
}

std::optional<VexInstruction> decode_evex(Reader in) {
  VexInstruction out;
  out.evex = true;
  const unsigned first = in.byte();
  const unsigned second = in.byte();
  const unsigned third = in.byte();
  out.map = first & 7U;
  out.wide = second >> 7U != 0;
  out.prefix = second & 3U;
  out.second = (~second >> 3U & 0xfU) | (~third >> 3U & 1U) << 4U;
  const unsigned length = third >> 5U & 3U;
  out.vector512 = length == 2;
  out.vector256 = length != 0;
  out.mask = third & 7U;
  if ((third & 0x90U) != 0 || length == 3) { // zeroing, broadcast
    return std::nullopt;
  }
  const Extension extension{.reg = (~first >> 7U & 1U) << 3U | (~first >> 4U & 1U) << 4U,
                            .index = (~first >> 6U & 1U) << 3U,
                            .base = (~first >> 5U & 1U) << 3U};
  out.opcode = in.byte();
  const unsigned modrm = in.byte();
  out.reg = (modrm >> 3U & 7U) | extension.reg;
  if (modrm >> 6U == 3) {
    out.rm = (modrm & 7U) | extension.base | extension.index << 1U;
  } else {
    read_memory_operand(in, modrm >> 6U, modrm & 7U, extension, displacement_unit(out), out);
  }
  if (has_immediate(out)) {
    out.immediate = in.byte();
  }
  out.length = in.used();
  return in.complete() ? std::optional(out) : std::nullopt;
}

} // namespace

std::optional<VexInstruction> decode_vex(std::span<const std::byte> bytes) {
  Reader in(bytes);
  const unsigned form = in.byte();
  if (form == 0x62) {
    return decode_evex(in);
  }
  if (form != 0xc4 && form != 0xc5) {
    return std::nullopt;
  }
  VexInstruction out;
  Extension extension;
  unsigned last = in.byte();
  extension.reg = (~last >> 7U & 1U) << 3U;
  out.map = 1;
  if (form == 0xc4) {
    extension.index = (~last >> 6U & 1U) << 3U;
    extension.base = (~last >> 5U & 1U) << 3U;
    out.map = last & 0x1fU;
    last = in.byte();
    out.wide = last >> 7U != 0;
  }
  out.second = ~last >> 3U & 0xfU;
  out.vector256 = (last >> 2U & 1U) != 0;
  out.prefix = last & 3U;
  out.opcode = in.byte();
  if (out.map != 1 || out.opcode != no_operands_opcode) {
    const unsigned modrm = in.byte();
    out.reg = (modrm >> 3U & 7U) | extension.reg;
    const unsigned mode = modrm >> 6U;
    const unsigned rm = modrm & 7U;
    if (mode == 3) {
      out.rm = rm | extension.base;
    } else {
      read_memory_operand(in, mode, rm, extension, 1, out);
    }
  }
  if (has_immediate(out)) {
    out.immediate = in.byte();
  }
  out.length = in.used();
  return in.complete() ? std::optional(out) : std::nullopt;
}

} // namespace pygc::replayer::machine
