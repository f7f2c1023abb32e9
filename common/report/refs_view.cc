#include "common/report/refs_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"
#include "common/report/reference_rows.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::Direction;
using analysis::ReferenceRow;
using analysis::ReferenceTree;

std::string_view direction_name(Direction direction) {
  return direction == Direction::to ? "to" : "from";
}

bool exact(const ReferenceTree& tree) {
  return tree.incomplete_because.empty();
}

} // namespace

std::string refs_json(const Subject& subject, const ReferenceTree& tree) {
  Json document = envelope("refs", subject, tree.incomplete_because);
  document["basis"] = exact(tree) ? "exact" : "lower_bound";
  document["direction"] = direction_name(tree.direction);
  document["object"] = object_json(tree.object);
  document["further"] = tree.further;
  document["notes"] = tree.notes;
  Json references = Json::array();
  for (const ReferenceRow& row : tree.rows) {
    references.push_back({{"depth", row.depth},
                          {"from", hex(row.reference.from)},
                          {"to", hex(row.reference.to)},
                          {"visits", row.reference.visits},
                          {"name", text_or_null(row.name.text)},
                          {"slot", address_or_null(row.name.slot.value_or(SlotAddress()).at)},
                          {"other", object_json(row.other)}});
  }
  document["references"] = std::move(references);
  return document_text(document);
}

std::string refs_text(const ReferenceTree& tree, Style style) {
  Text text(style);
  text.line(fmt::format("{} {}, {} references", tree.object.summary, hex(tree.object.address),
                        grouped(tree.object.refcount)));
  const bool to = tree.direction == Direction::to;
  text.line(fmt::format("{} {} {}   ({})", to ? "visited by" : "visits",
                        grouped(tree.rows.size() + tree.further), to ? "containers" : "objects",
                        exact(tree) ? "exact" : "lower bound"));
  add_reference_rows(text, tree);
  text.notes(tree.notes);
  text.incomplete(tree.incomplete_because);
  return text.take();
}

} // namespace pygc::report
