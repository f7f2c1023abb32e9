#include "common/report/diff_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/table.h"
#include "common/report/size_basis.h"

#include <algorithm>
#include <fmt/format.h>
#include <ranges>

namespace pygc::report {
namespace {

using analysis::CountChange;
using analysis::HeapDiff;
using analysis::TypeChange;

std::string signed_number(std::int64_t number) {
  return number == 0  ? "0"
         : number < 0 ? "-" + grouped(static_cast<std::uint64_t>(-number))
                      : "+" + grouped(static_cast<std::uint64_t>(number));
}

std::int64_t more_objects(const TypeChange& change) {
  return static_cast<std::int64_t>(change.new_objects) -
         static_cast<std::int64_t>(change.old_objects);
}

cpython::SizeBasis basis_of(const TypeChange& change) {
  return cpython::weakest(change.old_size.basis, change.new_size.basis);
}

Json change_json(const TypeChange& change, bool same_process) {
  return {{"old_objects", change.old_objects},
          {"new_objects", change.new_objects},
          {"old_size", change.old_size.bytes},
          {"new_size", change.new_size.bytes},
          {"size_basis", size_basis_word(basis_of(change))},
          {"kept", same_process ? Json(change.kept) : Json(nullptr)}};
}

Json changes_json(const std::optional<std::vector<CountChange>>& changes, const char* what) {
  if (!changes) {
    return nullptr;
  }
  Json json = Json::array();
  for (const CountChange& change : *changes) {
    json.push_back({{what, change.what},
                    {"old_objects", change.old_objects},
                    {"new_objects", change.new_objects}});
  }
  return json;
}

void add_more(Text& text, std::size_t changes, std::size_t limit) {
  if (changes > limit) {
    text.line(fmt::format("  and {} more (--top)", grouped(changes - limit)));
  }
}

void add_changes(Text& text, const std::string& heading, const std::vector<CountChange>& changes,
                 std::size_t limit) {
  text.paragraph(heading);
  for (const CountChange& change : changes | std::views::take(limit)) {
    text.paragraph(fmt::format("{}, {} before: {}", grouped(change.new_objects),
                               grouped(change.old_objects), change.what),
                   2);
  }
  add_more(text, changes.size(), limit);
}

/// Which are there and were not, and the other way round.
void add_violations(Text& text, const std::vector<CountChange>& changes, std::size_t limit) {
  text.paragraph(changes.empty() ? "audit: the same rules are broken"
                                 : fmt::format("audit: {}:", counted(changes.size(), "change")));
  for (const CountChange& change : changes | std::views::take(limit)) {
    text.paragraph(fmt::format("{}: {}", change.new_objects == 0 ? "gone" : "new", change.what), 2);
  }
  add_more(text, changes.size(), limit);
}

bool lists_new_objects(const Differences& differences) {
  return !differences.of_type.empty() && differences.types.same_process;
}

void add_new_objects(Text& text, const Differences& differences, std::size_t limit) {
  if (!lists_new_objects(differences)) {
    return;
  }
  const std::vector<Address>& objects = differences.types.new_objects;
  text.line(fmt::format("{} of type '{}' {} new (likely){}", counted(objects.size(), "object"),
                        differences.of_type, objects.size() == 1 ? "is" : "are",
                        objects.empty() ? "" : ":"));
  for (const Address object : objects | std::views::take(limit)) {
    text.line("  " + text.listed(object));
  }
  add_more(text, objects.size(), limit);
}

void add_counts(Text& text, const Differences& differences, std::size_t limit) {
  const std::string_view basis = differences.incomplete_because.empty() ? "exact" : "lower bound";
  if (differences.ways) {
    add_changes(text,
                fmt::format("{} by which objects of type '{}' are held more or less ({}):",
                            counted(differences.ways->size(), "way"), differences.of_type, basis),
                *differences.ways, limit);
  }
  if (differences.leaks) {
    add_changes(text,
                differences.leaks->empty()
                    ? "leaks: no more and no fewer"
                    : fmt::format("leaks: {}:", counted(differences.leaks->size(), "change")),
                *differences.leaks, limit);
  }
  if (differences.violations) {
    add_violations(text, *differences.violations, limit);
  }
}

} // namespace

std::string diff_json(const Differences& differences) {
  const HeapDiff& diff = differences.types;
  const Json old_envelope = envelope("diff", differences.old_heap, {});
  Json document = envelope("diff", differences.new_heap, differences.incomplete_because);
  document["basis"] = differences.incomplete_because.empty() ? "exact" : "lower_bound";
  document["old_target"] = old_envelope.at("target");
  document["old_python"] = old_envelope.at("python");
  document["same_process"] = diff.same_process;
  document["kept_basis"] = diff.same_process ? Json("likely") : Json(nullptr);
  document["total"] = change_json(diff.total, diff.same_process);
  document["unchanged"] = diff.unchanged;
  document["types"] = Json::array();
  for (const TypeChange& change : diff.types) {
    Json row = {{"type", change.type}};
    row.update(change_json(change, diff.same_process));
    document["types"].push_back(std::move(row));
  }
  document["new_objects"] = nullptr;
  if (lists_new_objects(differences)) {
    document["new_objects"] = Json::array();
    for (const Address object : diff.new_objects) {
      document["new_objects"].push_back(hex(object));
    }
  }
  document["ways"] = changes_json(differences.ways, "way");
  document["leaks"] = changes_json(differences.leaks, "leak");
  document["audit"] = changes_json(differences.violations, "violation");
  return document_text(document);
}

std::string diff_text(const Differences& differences, Style style, std::size_t limit) {
  const HeapDiff& diff = differences.types;
  Text text(style);
  text.paragraph(fmt::format("{} tracked objects, {} before ({}); {} bytes, {} before ({})",
                             grouped(diff.total.new_objects), grouped(diff.total.old_objects),
                             differences.incomplete_because.empty() ? "exact" : "lower bound",
                             grouped(diff.total.new_size.bytes), grouped(diff.total.old_size.bytes),
                             size_basis_name(basis_of(diff.total))));
  std::vector<TableColumn> columns = {{"objects"}, {"bytes"}};
  if (diff.same_process) {
    columns.push_back({"new"});
    columns.push_back({"freed"});
  }
  columns.push_back({.title = "type", .align = Align::left});
  Table table(style, std::move(columns));
  for (const TypeChange& change : diff.types | std::views::take(limit)) {
    std::vector<std::string> cells = {signed_number(more_objects(change)),
                                      signed_number(change.growth())};
    if (diff.same_process) {
      cells.push_back(grouped(change.new_objects - change.kept));
      cells.push_back(grouped(change.old_objects - change.kept));
    }
    cells.push_back(change.type);
    table.row(std::move(cells));
  }
  table.add_to(text, 2);
  if (diff.types.size() > limit) {
    text.line(fmt::format("  and {} more types (--top)", grouped(diff.types.size() - limit)));
  }
  if (diff.same_process) {
    text.paragraph("One process: an object counts as kept where both have one of its type at its "
                   "address (likely: its place may have been used again).");
  } else {
    text.paragraph("Two processes: their objects cannot be told apart one by one.");
  }
  add_new_objects(text, differences, limit);
  add_counts(text, differences, limit);
  text.incomplete(differences.incomplete_because);
  return text.take();
}

} // namespace pygc::report
