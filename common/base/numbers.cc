#include "common/base/numbers.h"

#include <array>

namespace pygc {

std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) {
      result += ',';
    }
    result += digits[i];
  }
  return result;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return grouped(number) + ' ' + std::string(noun) + (number == 1 ? "" : "s");
}

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

std::optional<std::uint64_t> address_in(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    return number_in<std::uint64_t>(text.substr(2), 16);
  }
  return number_in<std::uint64_t>(text, text.starts_with('0') ? 8 : 10);
}

} // namespace pygc
