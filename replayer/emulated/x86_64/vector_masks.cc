// Of AVX-512VL what string functions of the C library use: 32 vector registers, comparisons that
// set mask registers, and the instructions on those.
#include "replayer/emulated/x86_64/vector_unit.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pygc::replayer {
namespace {

constexpr unsigned prefix_66 = 1;
constexpr unsigned prefix_f2 = 3;

constexpr std::uint64_t low_bits(unsigned width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

/// The bits of a mask that an instruction between masks works on.
constexpr unsigned mask_width(const machine::VexInstruction& in) {
  if (in.wide) {
    return in.prefix == prefix_66 ? 32 : 64;
  }
  return in.prefix == prefix_66 ? 8 : 16;
}

/// The same for one between a mask and a general register.
constexpr unsigned general_mask_width(const machine::VexInstruction& in) {
  if (in.prefix == prefix_f2) {
    return in.wide ? 64 : 32;
  }
  return in.prefix == prefix_66 ? 8 : 16;
}

} // namespace

template <class Element, class Operation>
VectorUnit::Result VectorUnit::compare(std::uint64_t pc, const Instruction& in,
                                       Operation operation) {
  Vector second;
  if (!load_operand(pc, in, size_of(in), second)) {
    return Result::faulted;
  }
  using Elements = std::array<Element, sizeof(Vector) / sizeof(Element)>;
  const auto a = std::bit_cast<Elements>(get(in.second));
  const auto b = std::bit_cast<Elements>(second);
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < size_of(in) / sizeof(Element); ++i) {
    mask |= std::uint64_t{operation(a[i], b[i])} << i;
  }
  masks_[in.reg & 7U] = in.mask == 0 ? mask : mask & masks_[in.mask];
  return Result::done;
}

/// vpcmpub, vpcmpuw, vpcmpud, vpcmpuq and their signed kin
template <class Element>
VectorUnit::Result VectorUnit::compare_by_immediate(std::uint64_t pc, const Instruction& in) {
  const unsigned predicate = in.immediate & 7U;
  return compare<Element>(pc, in, [predicate](Element a, Element b) {
    switch (predicate & 3U) {
    case 0:
      return (a == b) != (predicate == 4);
    case 1:
      return (a < b) != (predicate == 5);
    case 2:
      return (a <= b) != (predicate == 6);
    default: // never, always
      return predicate == 7;
    }
  });
}

/// vptestm and vptestnm
template <class Element>
VectorUnit::Result VectorUnit::test_elements(std::uint64_t pc, const Instruction& in) {
  const bool wanted = in.prefix == prefix_66;
  return compare<Element>(pc, in,
                          [wanted](Element a, Element b) { return ((a & b) != 0) == wanted; });
}

VectorUnit::Result VectorUnit::broadcast_general(const Instruction& in, std::size_t element) {
  if (in.memory) {
    return Result::unknown;
  }
  const auto from = std::bit_cast<Vector>(Words{get_general(static_cast<int>(in.rm))});
  Vector value{};
  for (std::size_t i = 0; i < value.size(); ++i) {
    value[i] = from[i % element];
  }
  set(in.reg, value, in.vector256);
  return Result::done;
}

/// vpternlogd, vpternlogq: the immediate is the table of a function of three bits.
VectorUnit::Result VectorUnit::ternary(std::uint64_t pc, const Instruction& in) {
  Vector third;
  if (!load_operand(pc, in, size_of(in), third)) {
    return Result::faulted;
  }
  const auto a = std::bit_cast<Words>(get(in.reg));
  const auto b = std::bit_cast<Words>(get(in.second));
  const auto c = std::bit_cast<Words>(third);
  Words to{};
  for (std::size_t i = 0; i < to.size(); ++i) {
    for (unsigned row = 0; row < 8; ++row) {
      if ((in.immediate >> row & 1U) != 0) {
        to[i] |= ((row & 4U) != 0 ? a[i] : ~a[i]) & ((row & 2U) != 0 ? b[i] : ~b[i]) &
                 ((row & 1U) != 0 ? c[i] : ~c[i]);
      }
    }
  }
  set(in.reg, std::bit_cast<Vector>(to), in.vector256);
  return Result::done;
}

VectorUnit::Result VectorUnit::dispatch_compare(std::uint64_t pc, const Instruction& in) {
  const auto equal = [](auto a, auto b) { return a == b; };
  switch (in.key()) {
  case 0x10174:
    return compare<std::uint8_t>(pc, in, equal);
  case 0x10175:
    return compare<std::uint16_t>(pc, in, equal);
  case 0x10176:
    return compare<std::uint32_t>(pc, in, equal);
  case 0x20129:
    return compare<std::uint64_t>(pc, in, equal);
  case 0x3013e:
    return in.wide ? compare_by_immediate<std::uint16_t>(pc, in)
                   : compare_by_immediate<std::uint8_t>(pc, in);
  case 0x3013f:
    return in.wide ? compare_by_immediate<std::int16_t>(pc, in)
                   : compare_by_immediate<std::int8_t>(pc, in);
  case 0x3011e:
    return in.wide ? compare_by_immediate<std::uint64_t>(pc, in)
                   : compare_by_immediate<std::uint32_t>(pc, in);
  case 0x3011f:
    return in.wide ? compare_by_immediate<std::int64_t>(pc, in)
                   : compare_by_immediate<std::int32_t>(pc, in);
  case 0x20126:
  case 0x20226:
    return in.wide ? test_elements<std::uint16_t>(pc, in) : test_elements<std::uint8_t>(pc, in);
  case 0x20127:
  case 0x20227:
    return in.wide ? test_elements<std::uint64_t>(pc, in) : test_elements<std::uint32_t>(pc, in);
  default:
    return Result::unknown;
  }
}

/// vmovdqu8 and its kin with a mask: elements that it leaves out are not touched.
VectorUnit::Result VectorUnit::store_some(std::uint64_t pc, const Instruction& in,
                                          std::size_t element) {
  const Vector value = get(in.reg);
  const std::uint64_t start = effective_address(pc, in);
  const std::uint64_t wanted = masks_[in.mask] >> (part_ == Part::far ? value.size() / element : 0);
  for (std::size_t i = 0; i < size_of(in) / element; ++i) {
    const auto bytes = std::as_bytes(std::span(value).subspan(i * element, element));
    if ((wanted >> i & 1) != 0 && !memory_.write(start + i * element, bytes)) {
      return Result::faulted;
    }
  }
  return Result::done;
}

/// 512 bits: what does the same to both halves, as glibc's memset and memcpy use it. The upper half
/// comes first, as the lower half's result may be one of its operands no more.
VectorUnit::Result VectorUnit::dispatch_halves(std::uint64_t pc, const Instruction& in) {
  switch (in.key()) {
  case 0x1016f: // vmovdqa32, vmovdqa64, vmovdqu32, vmovdqu64, vmovdqu8, vmovdqu16
  case 0x1026f:
  case 0x1036f:
  case 0x1017f:
  case 0x1027f:
  case 0x1037f:
  case 0x2017a: // vpbroadcastb, vpbroadcastw, vpbroadcastd, vpbroadcastq of a general register
  case 0x2017b:
  case 0x2017c:
  case 0x101eb: // vpord, vpandd, vpxord, vpandnd and their kin on quad words
  case 0x101db:
  case 0x101ef:
  case 0x101df:
  case 0x101e7: // vmovntdq
  case 0x10010: // vmovups, vmovupd, vmovaps, vmovapd
  case 0x10110:
  case 0x10028:
  case 0x10128:
  case 0x10011:
  case 0x10111:
  case 0x10029:
  case 0x10129:
    break;
  default:
    return Result::unknown;
  }
  Instruction upper = in;
  upper.displacement += 32; // of the memory operand, if there is one
  part_ = Part::far;
  Result result = dispatch_evex(pc, upper);
  if (result == Result::done) {
    part_ = Part::near;
    result = dispatch_evex(pc, in);
  }
  part_ = Part::whole;
  return result;
}

VectorUnit::Result VectorUnit::dispatch_evex(std::uint64_t pc, const Instruction& in) {
  if (const Result compared = dispatch_compare(pc, in); compared != Result::unknown) {
    return compared;
  }
  if (in.mask != 0) {
    switch (in.memory ? in.key() : 0) {
    case 0x1017f: // vmovdqa32, vmovdqa64, vmovdqu32, vmovdqu64
    case 0x1027f:
      return store_some(pc, in, in.wide ? 8 : 4);
    case 0x1037f: // vmovdqu8, vmovdqu16
      return store_some(pc, in, in.wide ? 2 : 1);
    default:
      return Result::unknown;
    }
  }
  switch (in.key()) {
  case 0x1036f: // vmovdqu8, vmovdqu16
    return move(pc, in, size_of(in), false);
  case 0x1037f:
    return move(pc, in, size_of(in), true);
  case 0x2017a:
    return broadcast_general(in, 1);
  case 0x2017b:
    return broadcast_general(in, 2);
  case 0x2017c:
    return broadcast_general(in, in.wide ? 8 : 4);
  case 0x30125:
    return ternary(pc, in);
  case 0x1016f: // vmovdqa32, vmovdqa64, vmovdqu32, vmovdqu64
  case 0x1026f:
  case 0x1017f:
  case 0x1027f:
  case 0x1016e: // vmovd, vmovq
  case 0x1017e:
  case 0x1027e:
  case 0x101d6:
  case 0x101da: // vpminub, vpmaxub, vpsubb, vpaddb
  case 0x101de:
  case 0x101f8:
  case 0x101fc:
  case 0x101eb: // vpord, vpandd, vpxord, vpandnd and their kin on quad words
  case 0x101db:
  case 0x101ef:
  case 0x101df:
  case 0x101e7: // vmovntdq
  case 0x10010: // vmovups, vmovupd, vmovaps, vmovapd
  case 0x10110:
  case 0x10028:
  case 0x10128:
  case 0x10011:
  case 0x10111:
  case 0x10029:
  case 0x10129:
    return dispatch(pc, in);
  case 0x2013b: // vpminud; vpminuq has no VEX form
    return in.wide ? Result::unknown : dispatch(pc, in);
  default:
    return Result::unknown;
  }
}

/// kmovb, kmovw, kmovd, kmovq between a mask and a general register
VectorUnit::Result VectorUnit::move_mask(const Instruction& in, bool to_general, unsigned width) {
  if (in.memory) {
    return Result::unknown;
  }
  if (to_general) {
    set_general(in.reg, masks_[in.rm & 7U] & low_bits(width));
  } else {
    masks_[in.reg & 7U] = get_general(static_cast<int>(in.rm)) & low_bits(width);
  }
  return Result::done;
}

/// kortestb, kortestw, kortestd, kortestq
VectorUnit::Result VectorUnit::test_masks(const Instruction& in, unsigned width) {
  if (in.memory) {
    return Result::unknown;
  }
  const std::uint64_t either = (masks_[in.reg & 7U] | masks_[in.rm & 7U]) & low_bits(width);
  set_flags(either == 0, either == low_bits(width));
  return Result::done;
}

VectorUnit::Result VectorUnit::dispatch_masks(const Instruction& in) {
  if (in.map != 1) {
    return Result::unknown;
  }
  switch (in.opcode) {
  case 0x90: // kmov between masks
    if (in.memory) {
      return Result::unknown;
    }
    masks_[in.reg & 7U] = masks_[in.rm & 7U] & low_bits(mask_width(in));
    return Result::done;
  case 0x92:
    return move_mask(in, false, general_mask_width(in));
  case 0x93:
    return move_mask(in, true, general_mask_width(in));
  case 0x98:
    return test_masks(in, mask_width(in));
  case 0x41: // kand
    masks_[in.reg & 7U] = masks_[in.second & 7U] & masks_[in.rm & 7U] & low_bits(mask_width(in));
    return Result::done;
  case 0x45: // kor
    masks_[in.reg & 7U] = (masks_[in.second & 7U] | masks_[in.rm & 7U]) & low_bits(mask_width(in));
    return Result::done;
  case 0x4b: { // kunpckbw, kunpckwd, kunpckdq
    const unsigned half = in.prefix == prefix_66 ? 8 : in.wide ? 32 : 16;
    masks_[in.reg & 7U] =
        (masks_[in.second & 7U] & low_bits(half)) << half | (masks_[in.rm & 7U] & low_bits(half));
    return Result::done;
  }
  default:
    return Result::unknown;
  }
}

} // namespace pygc::replayer
