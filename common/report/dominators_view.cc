#include "common/report/dominators_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/table.h"
#include "common/report/object_json.h"
#include "common/report/size_basis.h"

#include <fmt/format.h>
#include <ranges>

namespace pygc::report {
namespace {

using analysis::Dominator;
using analysis::DominatorSurvey;
using analysis::RetainedType;

Json row_json(const Dominator& row) {
  return {{"object", object_json(row.object)},
          {"size", row.size.bytes},
          {"size_basis", size_basis_word(row.size.basis)},
          {"retained", row.retained},
          {"retained_objects", row.objects},
          {"held_by", address_or_null(row.held_by)},
          {"reachable", row.reachable}};
}

void add_rows(Text& text, const DominatorSurvey& survey, Style style) {
  Table table(style,
              {{"retained"},
               {"objects"},
               {.title = "address", .align = Align::left},
               {.title = survey.of_one ? "held by, up to what is held from outside" : "object",
                .align = Align::left}});
  for (const Dominator& row : survey.rows | std::views::drop(survey.of_one ? 1 : 0)) {
    table.row({grouped(row.retained), grouped(row.objects),
               survey.of_one ? hex(row.object.address) : text.listed(row.object.address),
               row.object.summary + (row.reachable ? "" : ", garbage")});
  }
  table.add_to(text, 2);
  if (survey.further != 0) {
    text.line(fmt::format("  and {} more (--top)", grouped(survey.further)));
  }
}

void add_one(Text& text, const DominatorSurvey& survey, Style style, std::size_t limit) {
  const Dominator& one = survey.rows.front();
  text.paragraph(fmt::format("{} {} retains {} objects, {} bytes (lower bound){}",
                             one.object.summary, hex(one.object.address), grouped(one.objects),
                             grouped(one.retained), one.reachable ? "" : ", and is garbage"));
  Table table(style, {{"objects"},
                      {"size"},
                      {.title = "basis", .align = Align::left},
                      {.title = "type", .align = Align::left}});
  for (const RetainedType& type : survey.types | std::views::take(limit)) {
    table.row({grouped(type.objects), grouped(type.size.bytes),
               std::string(size_basis_name(type.size.basis)), type.name});
  }
  table.add_to(text, 2);
  const std::uint64_t further =
      survey.further_types + (survey.types.size() > limit ? survey.types.size() - limit : 0);
  if (further != 0) {
    text.line(fmt::format("  and {} more types (--top, --min)", grouped(further)));
  }
  if (one.held_by == 0) {
    text.line(one.reachable ? "no object alone holds it: see pygc why"
                            : "no other object of the garbage alone holds it");
  }
}

} // namespace

std::string dominators_json(const Subject& subject, const DominatorSurvey& survey) {
  Json rows = Json::array();
  for (const Dominator& row : survey.rows) {
    rows.push_back(row_json(row));
  }
  Json types = Json::array();
  for (const RetainedType& type : survey.types) {
    types.push_back({{"type", type.name},
                     {"address", hex(type.type)},
                     {"objects", type.objects},
                     {"size", type.size.bytes},
                     {"size_basis", size_basis_word(type.size.basis)}});
  }
  Json document = envelope("dominators", subject, survey.incomplete_because);
  document["basis"] = survey.incomplete_because.empty() ? "exact" : "lower_bound";
  document["retained_basis"] = "lower_bound";
  document["objects"] = survey.objects;
  document["size"] = survey.size.bytes;
  document["size_basis"] = size_basis_word(survey.size.basis);
  document["dominators"] = std::move(rows);
  document["further"] = survey.further;
  document["retained_types"] = survey.of_one ? std::move(types) : Json(nullptr);
  return document_text(document);
}

std::string dominators_text(const DominatorSurvey& survey, Style style, std::size_t limit) {
  Text text(style);
  if (survey.of_one) {
    add_one(text, survey, style, limit);
  } else {
    text.paragraph(fmt::format("{} collected objects ({}), {} bytes ({})", grouped(survey.objects),
                               survey.incomplete_because.empty() ? "exact" : "lower bound",
                               grouped(survey.size.bytes), size_basis_name(survey.size.basis)));
  }
  add_rows(text, survey, style);
  text.paragraph("Retained is what would be freed with an object, as far as it is tracked and no "
                 "untracked object stands between (lower bound).");
  if (!survey.of_one && !survey.rows.empty()) {
    text.line(fmt::format("next: pygc dominators {}", hex(survey.rows.front().object.address)));
  }
  text.incomplete(survey.incomplete_because);
  return text.take();
}

} // namespace pygc::report
