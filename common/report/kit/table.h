// Rows of cells under titles, as wide as they need to be.
#pragma once

#include "common/report/kit/text.h"

#include <string>
#include <vector>

namespace pygc::report {

enum class Align : std::uint8_t { left, right };

struct TableColumn {
  std::string title;
  Align align = Align::right;
};

/// The last column, of names, is cut to the lines' width: a name loses its beginning, for what is
/// special about it comes last.
class Table {
public:
  Table(Style style, std::vector<TableColumn> columns)
      : style_(style), columns_(std::move(columns)) {}

  /// One cell for each column.
  void row(std::vector<std::string> cells);
  /// Adds nothing when there are no rows.
  void add_to(Text& text, unsigned indent) const;

private:
  Style style_;
  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> rows_; // printable
};

} // namespace pygc::report
