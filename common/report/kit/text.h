// The one way to write text for people: lines of a given width, counts, colours. Whatever is added
// is made printable first.
#pragma once

#include "common/base/error.h"
#include "common/base/numbers.h"
#include "common/report/kit/numbering.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::report {

struct Style {
  unsigned width = 80; // columns; fewer than 40 count as 40
  bool colour = false;
  Numbering* numbering = nullptr; // null: objects of lists have no numbers
};

enum class Colour : std::uint8_t { none, red, yellow, green, cyan };

struct Span {
  std::string text;
  Colour colour = Colour::none;
};

class Text {
public:
  explicit Text(Style style);

  /// Words in lines of the style's width (longer ones for longer words), indented by blanks.
  void paragraph(std::string_view text, unsigned indent = 0);
  /// A paragraph whose first line has a label before it. The label must be shorter than `column`
  /// less `indent`.
  void labelled(std::string_view label, std::string_view text, unsigned indent, unsigned column);
  /// One line as it is, however long.
  void line(std::string_view text);
  void line(std::initializer_list<Span> spans);
  /// "name", filled up to a column, and its value, in one line.
  void field(std::string_view name, std::string_view value);
  void blank() { text_ += '\n'; }
  /// The address of an object that a list shows, behind its number.
  std::string listed(Address object);
  /// "note: ..." and "incomplete: ...", a paragraph each.
  void notes(const std::vector<std::string>& notes);
  void incomplete(const std::vector<std::string>& reasons);

  bool empty() const { return text_.empty(); }
  std::string take() { return std::move(text_); }

private:
  Style style_;
  std::string text_;
};

/// Words in lines of at most `width` columns where words allow it.
std::string paragraph(std::string_view text, unsigned width, unsigned indent = 0);

} // namespace pygc::report
