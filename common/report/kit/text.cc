#include "common/report/kit/text.h"

#include "common/report/kit/printable.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::report {
namespace {

constexpr unsigned least_width = 40;
constexpr std::size_t field_columns = 26;

/// Columns of UTF-8 text, one a code point.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view colour_code(Colour colour) {
  switch (colour) {
  case Colour::none:
    return "";
  case Colour::red:
    return "1;31";
  case Colour::yellow:
    return "1;33";
  case Colour::green:
    return "1;32";
  case Colour::cyan:
    return "1;36";
  }
  return "";
}

} // namespace

Text::Text(Style style) : style_(style) {
  style_.width = std::max(style_.width, least_width);
}

void Text::paragraph(std::string_view text, unsigned indent) {
  text_ += report::paragraph(text, style_.width, indent);
}

void Text::labelled(std::string_view label, std::string_view text, unsigned indent,
                    unsigned column) {
  std::string lines = report::paragraph(text, style_.width, column);
  const std::string before = std::string(indent, ' ') + printable(label);
  lines.replace(0, std::min<std::size_t>(before.size(), column), before);
  text_ += lines;
}

void Text::line(std::string_view text) {
  text_ += printable(text) + '\n';
}

void Text::line(std::initializer_list<Span> spans) {
  for (const Span& span : spans) {
    const std::string text = printable(span.text);
    text_ += style_.colour && span.colour != Colour::none
                 ? fmt::format("\x1b[{}m{}\x1b[0m", colour_code(span.colour), text)
                 : text;
  }
  text_ += '\n';
}

void Text::field(std::string_view name, std::string_view value) {
  const std::string whole = fmt::format("{:<{}} {}", name, field_columns, value);
  if (columns(printable(whole)) <= style_.width) {
    line(whole);
  } else {
    labelled(name, value, 0, field_columns + 1);
  }
}

std::string Text::listed(Address object) {
  return style_.numbering != nullptr ? style_.numbering->next(object) : hex(object);
}

void Text::notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    paragraph("note: " + note);
  }
}

void Text::incomplete(const std::vector<std::string>& reasons) {
  for (const std::string& reason : reasons) {
    paragraph("incomplete: " + reason);
  }
}

std::string paragraph(std::string_view text, unsigned width, unsigned indent) {
  std::string result;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string word = printable(text.substr(0, blank));
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

} // namespace pygc::report
