#include "common/report/kit/printable.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>

namespace pygc::report {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0; // bytes; 0: no UTF-8
};

std::uint32_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// The code point at the start of a text that is not empty (RFC 3629).
CodePoint decode(std::string_view text) {
  const std::uint32_t first = byte_at(text, 0);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) {
    return {};
  }
  std::uint32_t value = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint32_t next = byte_at(text, i);
    if ((next & 0xc0U) != 0x80) {
      return {};
    }
    value = (value << 6U) | (next & 0x3fU);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  return overlong || surrogate || value > 0x10ffff ? CodePoint{} : CodePoint{value, size};
}

/// C0 and C1 controls, line and paragraph separators, and what changes the direction of writing.
bool is_unsafe(std::uint32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x061c || value == 0x200e ||
         value == 0x200f || (value >= 0x2028 && value <= 0x202e) ||
         (value >= 0x2066 && value <= 0x2069);
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string escape(std::uint32_t value) {
  switch (value) {
  case '\n':
    return "\\n";
  case '\t':
    return "\\t";
  case '\r':
    return "\\r";
  default:
    return value < 0x80 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
  }
}

} // namespace

std::string printable(std::string_view text) {
  if (is_plain(text)) {
    return std::string(text);
  }
  std::string result;
  while (!text.empty()) {
    const CodePoint next = decode(text);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    if (next.size == 0) {
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", byte_at(text, 0));
    } else if (is_unsafe(next.value)) {
      result += escape(next.value);
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return result;
}

std::string printable_json(std::string json) {
  const auto plain = [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n'; };
  if (std::ranges::all_of(json, plain)) {
    return json;
  }
  std::string result;
  std::string_view text = json;
  while (!text.empty()) {
    const CodePoint next = decode(text);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    if (next.size != 0 && next.value != '\n' && is_unsafe(next.value)) {
      fmt::format_to(std::back_inserter(result), "\\u{:04x}", next.value);
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return result;
}

} // namespace pygc::report
