// Instructions that put vectors together and take them apart: halves, words, double words.
#include "replayer/emulated/x86_64/vector_unit.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pygc::replayer {

/// vextracti128, vextractf128
VectorUnit::Result VectorUnit::extract_half(std::uint64_t pc, const Instruction& in) {
  Vector value = get(in.reg);
  if ((in.immediate & 1U) != 0) {
    std::copy_n(value.begin() + 16, 16, value.begin());
  }
  return store_operand(pc, in, 16, value);
}

/// vinserti128, vinsertf128
VectorUnit::Result VectorUnit::insert_half(std::uint64_t pc, const Instruction& in) {
  Vector half;
  if (!load_operand(pc, in, 16, half)) {
    return Result::faulted;
  }
  Vector value = get(in.second);
  std::copy_n(half.begin(), 16, value.begin() + ((in.immediate & 1U) != 0 ? 16 : 0));
  set(in.reg, value, true);
  return Result::done;
}

/// vpextrd, vpextrq
VectorUnit::Result VectorUnit::extract_element(std::uint64_t pc, const Instruction& in) {
  const std::size_t size = in.wide ? 8 : 4;
  const Vector from = get(in.reg);
  Vector value{};
  std::memcpy(value.data(), from.data() + in.immediate % (16 / size) * size, size);
  if (in.memory) {
    return store_operand(pc, in, size, value);
  }
  set_general(in.rm, std::bit_cast<Words>(value)[0]);
  return Result::done;
}

/// vpinsrd, vpinsrq
VectorUnit::Result VectorUnit::insert_element(std::uint64_t pc, const Instruction& in) {
  const std::size_t size = in.wide ? 8 : 4;
  Vector element{};
  if (!in.memory) {
    element = std::bit_cast<Vector>(Words{get_general(static_cast<int>(in.rm))});
  } else if (!load_operand(pc, in, size, element)) {
    return Result::faulted;
  }
  Vector value = get(in.second);
  std::memcpy(value.data() + in.immediate % (16 / size) * size, element.data(), size);
  set(in.reg, value, false);
  return Result::done;
}

/// vmovlps, vmovhps and the like: one word of the lower half comes from memory, or from the other
/// word of a register (vmovhlps, vmovlhps).
VectorUnit::Result VectorUnit::load_word(std::uint64_t pc, const Instruction& in, unsigned word) {
  Vector from;
  if (!load_operand(pc, in, in.memory ? 8 : 16, from)) {
    return Result::faulted;
  }
  auto words = std::bit_cast<Words>(get(in.second));
  words[word] = std::bit_cast<Words>(from)[in.memory ? 0 : 1 - word];
  set(in.reg, std::bit_cast<Vector>(words), false);
  return Result::done;
}

VectorUnit::Result VectorUnit::store_word(std::uint64_t pc, const Instruction& in, unsigned word) {
  if (!in.memory) {
    return Result::unknown;
  }
  const auto words = std::bit_cast<Words>(get(in.reg));
  return store_operand(pc, in, 8, std::bit_cast<Vector>(Words{words[word]}));
}

/// vpunpcklqdq, vpunpckhqdq: of each half, that word of both operands.
VectorUnit::Result VectorUnit::unpack_words(std::uint64_t pc, const Instruction& in,
                                            unsigned word) {
  Vector second;
  if (!load_operand(pc, in, size_of(in), second)) {
    return Result::faulted;
  }
  const auto a = std::bit_cast<Words>(get(in.second));
  const auto b = std::bit_cast<Words>(second);
  set(in.reg, std::bit_cast<Vector>(Words{a[word], b[word], a[2 + word], b[2 + word]}),
      in.vector256);
  return Result::done;
}

/// vpermq, vpermpd
VectorUnit::Result VectorUnit::permute_words(std::uint64_t pc, const Instruction& in) {
  Vector from;
  if (!load_operand(pc, in, size_of(in), from)) {
    return Result::faulted;
  }
  const auto words = std::bit_cast<Words>(from);
  Words to;
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i] = words[in.immediate >> 2 * i & 3U];
  }
  set(in.reg, std::bit_cast<Vector>(to), true);
  return Result::done;
}

/// vpshufd: double words, within each half.
VectorUnit::Result VectorUnit::shuffle(std::uint64_t pc, const Instruction& in) {
  Vector from;
  if (!load_operand(pc, in, size_of(in), from)) {
    return Result::faulted;
  }
  using Elements = std::array<std::uint32_t, 8>;
  const auto elements = std::bit_cast<Elements>(from);
  Elements to;
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i] = elements[(i & 4U) + (in.immediate >> 2 * (i & 3U) & 3U)];
  }
  set(in.reg, std::bit_cast<Vector>(to), in.vector256);
  return Result::done;
}

VectorUnit::Result VectorUnit::dispatch_lanes(std::uint64_t pc, const Instruction& in) {
  switch (in.key()) {
  case 0x30139:
  case 0x30119:
    return extract_half(pc, in);
  case 0x30138:
  case 0x30118:
    return insert_half(pc, in);
  case 0x30116:
    return extract_element(pc, in);
  case 0x30122:
    return insert_element(pc, in);
  case 0x10012: // vmovlps, vmovlpd
  case 0x10112:
    return load_word(pc, in, 0);
  case 0x10016: // vmovhps, vmovhpd
  case 0x10116:
    return load_word(pc, in, 1);
  case 0x10013:
  case 0x10113:
    return store_word(pc, in, 0);
  case 0x10017:
  case 0x10117:
    return store_word(pc, in, 1);
  case 0x1016c:
    return unpack_words(pc, in, 0);
  case 0x1016d:
    return unpack_words(pc, in, 1);
  case 0x30100:
  case 0x30101:
    return permute_words(pc, in);
  case 0x10170:
    return shuffle(pc, in);
  default:
    return dispatch_masks(in);
  }
}

} // namespace pygc::replayer
