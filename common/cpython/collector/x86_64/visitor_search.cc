#include "common/cpython/collector/visitor_search.h"

#include "common/cpython/collector/x86_64/machine_code.h"

#include <algorithm>
#include <map>

namespace pygc::cpython {
namespace {

constexpr std::size_t candidate_limit = 16;
constexpr std::size_t body_size = 160; // bytes of a candidate looked at

/// Counts the functions whose addresses one stretch of code compares with or takes:
///   REX.W 81 /7 imm32   cmp $imm32, %reg
///   REX.W 3d imm32      cmp $imm32, %rax
///   REX.W 8d /r disp32  lea disp32(%rip), %reg
void scan(const image::Module& module, std::span<const std::byte> code, Address start,
          std::map<Address, std::size_t>& counts) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(code.data());
  for (std::size_t i = 0; i + 7 <= code.size(); ++i) {
    if ((bytes[i] & 0xf8) != 0x48) { // REX.W with any of R, X, B
      continue;
    }
    Address target = 0;
    if (bytes[i + 1] == 0x81 && (bytes[i + 2] & 0xf8) == 0xf8) {
      target = static_cast<Address>(std::int64_t{word_at(bytes + i + 3)});
    } else if (bytes[i] == 0x48 && bytes[i + 1] == 0x3d) {
      target = static_cast<Address>(std::int64_t{word_at(bytes + i + 2)});
    } else if (bytes[i + 1] == 0x8d && (bytes[i + 2] & 0xc7) == 0x05) {
      target = start + i + 7 + static_cast<Address>(std::int64_t{word_at(bytes + i + 3)});
    }
    if (target != 0 && in_code(module, target)) {
      ++counts[target];
    }
  }
}

/// True when the code tests bit 1 of a byte or register after touching -8(%reg): the COLLECTING
/// test of gc_is_collecting(AS_GC(op)).
bool tests_collecting(const image::AddressSpace& memory, Address function) {
  const auto body = memory.view(function, body_size);
  if (!body) {
    return false;
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(body->data());
  bool touched = false;
  for (std::size_t i = 1; i + 3 < body_size; ++i) {
    // testb $2, -8(%reg)
    if (bytes[i] == 0xf6 && (bytes[i + 1] & 0xf8) == 0x40 && bytes[i + 2] == 0xf8 &&
        bytes[i + 3] == 0x02) {
      return true;
    }
    // mov -8(%reg), %reg ... test $2, %al or %reg8
    if (bytes[i] == 0x8b && (bytes[i + 1] & 0xc0) == 0x40 && bytes[i + 2] == 0xf8) {
      touched = true;
    }
    if (touched && ((bytes[i] == 0xa8 && bytes[i + 1] == 0x02) ||
                    (bytes[i] == 0xf6 && (bytes[i + 1] & 0xf8) == 0xc0 && bytes[i + 2] == 0x02))) {
      return true;
    }
  }
  return false;
}

} // namespace

bool looks_like_visit_decref(const image::AddressSpace& memory, Address function) {
  const auto body = memory.view(function, body_size);
  if (!body || !tests_collecting(memory, function)) {
    return false;
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(body->data());
  for (std::size_t i = 0; i + 4 < body_size; ++i) {
    const bool wide = (bytes[i] & 0xf8) == 0x48;
    // subq $4, -8(%reg); sub $4, %reg; add $-4, %reg; lea -4(%reg), %reg
    if (wide && ((bytes[i + 1] == 0x83 && (bytes[i + 2] & 0xf8) == 0x68 && bytes[i + 3] == 0xf8 &&
                  bytes[i + 4] == 0x04) ||
                 (bytes[i + 1] == 0x83 && (bytes[i + 2] & 0xf8) == 0xe8 && bytes[i + 3] == 0x04) ||
                 (bytes[i + 1] == 0x83 && (bytes[i + 2] & 0xf8) == 0xc0 && bytes[i + 3] == 0xfc) ||
                 (bytes[i + 1] == 0x8d && (bytes[i + 2] & 0xc0) == 0x40 && bytes[i + 3] == 0xfc))) {
      return true;
    }
  }
  return false;
}

std::vector<Address> visitor_candidates(const image::AddressSpace& memory,
                                        const image::Module& module) {
  std::map<Address, std::size_t> counts;
  for (const image::Range& range : module.code()) {
    const image::Region* region = memory.find(range.start);
    for (Address at = range.start; region != nullptr && at < range.end;
         at = region->end, region = memory.find(at)) {
      const std::size_t size =
          std::min<std::size_t>({region->end - at, range.end - at, code_limit});
      if (const auto code = memory.view(at, size)) {
        scan(module, *code, at, counts);
      }
    }
  }
  std::vector<std::pair<std::size_t, Address>> ranked;
  for (const auto& [function, count] : counts) {
    if (tests_collecting(memory, function)) {
      ranked.emplace_back(count, function);
    }
  }
  std::ranges::sort(ranked, std::greater<>{});
  std::vector<Address> candidates;
  for (const auto& [count, function] : ranked) {
    if (candidates.size() < candidate_limit) {
      candidates.push_back(function);
    }
  }
  return candidates;
}

} // namespace pygc::cpython
