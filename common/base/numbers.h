// Numbers as people read and write them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pygc {

/// 1339465 -> "1,339,465".
std::string grouped(std::uint64_t number);

/// "1 warning", "1,204 warnings".
std::string counted(std::uint64_t number, std::string_view noun);

/// 0x1f, as addresses are written.
std::string hex(std::uint64_t number);

/// The number that is all of the text. Nothing when it is none, or too large for the type.
template <class T> std::optional<T> number_in(std::string_view text, int base = 10) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

/// As C and the debuggers take numbers: 0x1f, 037, 31.
std::optional<std::uint64_t> address_in(std::string_view text);

} // namespace pygc
