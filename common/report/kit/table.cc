#include "common/report/kit/table.h"

#include "common/report/kit/printable.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::report {
namespace {

constexpr std::string_view gap = "  ";
constexpr std::string_view cut = "...";
constexpr std::size_t least_last = 12;

bool begins_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_code_point));
}

/// The end of a text, in at most so many columns.
std::string last_columns(std::string_view text, std::size_t limit) {
  std::size_t columns = columns_of(text);
  if (columns <= limit) {
    return std::string(text);
  }
  while (columns > limit - cut.size()) {
    text.remove_prefix(1);
    while (!text.empty() && !begins_code_point(text.front())) {
      text.remove_prefix(1);
    }
    --columns;
  }
  return std::string(cut) += text;
}

} // namespace

void Table::row(std::vector<std::string> cells) {
  std::ranges::transform(cells, cells.begin(), printable);
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

void Table::add_to(Text& text, unsigned indent) const {
  if (rows_.empty()) {
    return;
  }
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  std::size_t used = indent;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_of(columns_[i].title);
    for (const auto& cells : rows_) {
      width = std::max(width, columns_of(cells[i]));
    }
    widths.push_back(width);
    titles.push_back(columns_[i].title);
    used += i + 1 == columns_.size() ? 0 : width + gap.size();
  }
  const std::size_t room =
      std::max<std::size_t>(least_last, style_.width > used ? style_.width - used : 0);
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i + 1 == cells.size()) {
        line += last_columns(cells[i], room);
        break;
      }
      const std::string blanks(widths[i] - columns_of(cells[i]), ' ');
      line += columns_[i].align == Align::right ? blanks + cells[i] : cells[i] + blanks;
      line += gap;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text.line(line);
  };
  add(titles);
  for (const auto& cells : rows_) {
    add(cells);
  }
}

} // namespace pygc::report
