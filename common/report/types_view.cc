#include "common/report/types_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/table.h"
#include "common/report/size_basis.h"

#include <fmt/format.h>
#include <map>
#include <ranges>

namespace pygc::report {
namespace {

using analysis::TypeRow;
using analysis::TypeSurvey;

std::string_view basis_word(cpython::BlockBasis basis) {
  return basis == cpython::BlockBasis::lower_bound ? "lower_bound"
                                                   : cpython::block_basis_name(basis);
}

Json blocks_json(const analysis::BlockSum& blocks) {
  return {{"objects", blocks.objects},
          {"own", blocks.own},
          {"total", blocks.total},
          {"basis", basis_word(blocks.basis)}};
}

/// "1,264", of a lower bound ">= 1,264", "-" of nothing.
std::string blocks_text(const analysis::BlockSum& blocks) {
  return blocks.objects == 0 ? "-"
                             : (blocks.basis == cpython::BlockBasis::lower_bound ? ">= " : "") +
                                   grouped(blocks.total);
}

void add_rows(Text& text, const TypeSurvey& survey, Style style, std::size_t limit) {
  std::map<std::string_view, unsigned> names;
  for (const TypeRow& row : survey.rows) {
    ++names[row.name];
  }
  std::vector<TableColumn> columns = {
      {"objects"}, {"size"}, {.title = "basis", .align = Align::left}, {"blocks"}};
  if (survey.retained) {
    columns.push_back({"retained"});
  }
  columns.push_back({.title = "type", .align = Align::left});
  Table table(style, std::move(columns));
  for (const TypeRow& row : survey.rows | std::views::take(limit)) {
    std::vector<std::string> cells = {grouped(row.objects), grouped(row.size.bytes),
                                      std::string(size_basis_name(row.size.basis)),
                                      blocks_text(row.blocks)};
    if (survey.retained) {
      cells.push_back(grouped(row.retained));
    }
    cells.push_back(names[row.name] == 1 ? row.name
                                         : fmt::format("{} ({:#x})", row.name, row.type));
    table.row(std::move(cells));
  }
  table.add_to(text, 2);
  if (survey.rows.size() > limit) {
    text.line(fmt::format("  and {} more types (--top)", grouped(survey.rows.size() - limit)));
  }
  if (survey.types > survey.rows.size()) {
    text.line(
        fmt::format("  and {} smaller ones (--min)", grouped(survey.types - survey.rows.size())));
  }
}

} // namespace

std::string types_json(const Subject& subject, const TypeSurvey& survey) {
  Json types = Json::array();
  for (const TypeRow& row : survey.rows) {
    types.push_back(
        {{"type", row.name},
         {"address", hex(row.type)},
         {"objects", row.objects},
         {"size", row.size.bytes},
         {"size_basis", size_basis_word(row.size.basis)},
         {"blocks", blocks_json(row.blocks)},
         {"retained", survey.retained ? Json(row.retained) : Json(nullptr)},
         {"retained_objects", survey.retained ? Json(row.retained_objects) : Json(nullptr)}});
  }
  Json document = envelope("types", subject, survey.incomplete_because);
  document["basis"] = survey.incomplete_because.empty() ? "exact" : "lower_bound";
  document["garbage"] = survey.garbage;
  document["objects"] = survey.objects;
  document["size"] = survey.size.bytes;
  document["size_basis"] = size_basis_word(survey.size.basis);
  document["blocks"] = blocks_json(survey.blocks);
  document["retained_basis"] = survey.retained ? Json("lower_bound") : Json(nullptr);
  document["frozen"] = survey.frozen;
  document["immortal"] = survey.immortal;
  document["all_types"] = survey.types;
  document["types"] = std::move(types);
  return document_text(document);
}

std::string types_text(const TypeSurvey& survey, Style style, std::size_t limit) {
  Text text(style);
  text.paragraph(fmt::format("{} {} objects ({}) of {} types, {} bytes ({})",
                             grouped(survey.objects), survey.garbage ? "unreachable" : "tracked",
                             survey.incomplete_because.empty() ? "exact" : "lower bound",
                             grouped(survey.types), grouped(survey.size.bytes),
                             size_basis_name(survey.size.basis)));
  add_rows(text, survey, style, limit);
  if (survey.frozen != 0 || survey.immortal != 0) {
    text.paragraph(fmt::format("{} of them are frozen (gc.freeze) and {} immortal: no collection "
                               "takes those",
                               grouped(survey.frozen), grouped(survey.immortal)));
  }
  text.paragraph(fmt::format("Blocks are what the allocator uses for them: {} bytes ({}).",
                             grouped(survey.blocks.total),
                             cpython::block_basis_name(survey.blocks.basis)));
  text.paragraph("Sizes are those of sys.getsizeof(). Objects that the collector does not track "
                 "(str, bytes, int, most tuples of them) are not counted.");
  if (survey.retained) {
    text.paragraph("Retained is what would be freed with all objects of the type, as far as it is "
                   "tracked and no untracked object stands between (lower bound).");
  }
  text.incomplete(survey.incomplete_because);
  return text.take();
}

} // namespace pygc::report
