#include "common/report/reference_rows.h"

#include <fmt/format.h>

namespace pygc::report {

void add_reference_rows(Text& text, const analysis::ReferenceTree& tree) {
  for (const analysis::ReferenceRow& row : tree.rows) {
    text.line(fmt::format(
        "{:{}}{} {}{}{}", "", 2 * row.depth, text.listed(row.other.address), row.other.summary,
        row.name.text.empty() ? "" : fmt::format("   {}", row.name.text),
        row.reference.visits == 1 ? "" : fmt::format("   {} visits", row.reference.visits)));
  }
  if (tree.further != 0) {
    text.line(fmt::format("  and {} more (--limit)", grouped(tree.further)));
  }
}

} // namespace pygc::report
