#include "common/commands/paragraph.h"

#include <algorithm>

namespace pygc::commands {
namespace {

/// Columns of UTF-8 text, one a code point.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace

std::string paragraph(std::string_view text, unsigned width, unsigned indent) {
  std::string result;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
    if (word.empty()) {
      continue;
    }
    if (used != 0 && used + 1 + columns(word) > width) {
      result += '\n';
      used = 0;
    }
    if (used == 0) {
      result.append(indent, ' ');
      used = indent;
    } else {
      result += ' ';
      ++used;
    }
    result += word;
    used += columns(word);
  }
  return result + '\n';
}

} // namespace pygc::commands
