#include "common/report/finding_text.h"

#include "common/base/numbers.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <set>

namespace pygc::report {
namespace {

constexpr unsigned indent = 2;
constexpr unsigned column = 10;          // of what stands behind a label
constexpr std::size_t row_limit = 12;    // of visitors or slots
constexpr std::size_t victims_shown = 4; // besides the first
constexpr std::size_t addresses_shown = 3;
constexpr std::size_t places_shown = 4; // of one visitor

std::string object_text(Text& text, const analysis::ObjectView& object) {
  return fmt::format("{} at {}", object.summary, text.listed(object.address));
}

/// Visitors of one type through one function and field: they are told by one of them.
struct VisitorRow {
  const analysis::Visitor* first = nullptr;
  std::string place;
  std::vector<Address> containers;
  std::uint64_t visits = 0;
};

/// What instances of a type have in common: an item's own index or key they have not.
std::string place_of(const analysis::Visitor& visitor) {
  if (!visitor.slot) {
    return visitor.slot_name;
  }
  std::string places = visitor.slot_name.empty() ? hex(visitor.slot->at) : visitor.slot_name;
  std::size_t told = 1;
  for (const analysis::VisitPlace& place : visitor.places) {
    if (place.slot && place.slot != visitor.slot && told++ < places_shown) {
      places += ", " + (place.name.empty() ? hex(place.slot->at) : place.name);
    }
  }
  return told > places_shown ? fmt::format("{} and {} more", places, told - places_shown) : places;
}

std::vector<VisitorRow> rows_of(const std::vector<analysis::Visitor>& visitors) {
  std::vector<VisitorRow> rows;
  for (const analysis::Visitor& visitor : visitors) {
    const std::string place = place_of(visitor);
    const auto known = std::ranges::find_if(rows, [&](const VisitorRow& row) {
      return row.first->type == visitor.type && row.first->summary == visitor.summary &&
             row.first->function == visitor.function && row.place == place;
    });
    VisitorRow& row =
        known == rows.end()
            ? rows.emplace_back(VisitorRow{.first = &visitor, .place = place, .containers = {}})
            : *known;
    row.containers.push_back(visitor.container);
    row.visits += visitor.visits;
  }
  return rows;
}

/// "2 x module 'faulthandler' at 0x7f3a38f2dee0, 0x7f3a38f2e2f0"; of many one is an example.
std::string who_of(Text& text, const VisitorRow& row) {
  const std::size_t count = row.containers.size();
  std::string who =
      count == 1 ? row.first->summary : fmt::format("{} x {}", grouped(count), row.first->summary);
  if (count > addresses_shown) {
    return who + fmt::format(", such as the one at {}", text.listed(row.containers.front()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    who += fmt::format("{} {}", i == 0 ? " at" : ",", text.listed(row.containers[i]));
  }
  return who;
}

/// "through faulthandler_traverse, slot fatal_error.file (static)"
std::string way_of(const VisitorRow& row) {
  const analysis::Visitor& visitor = *row.first;
  std::string way = "through " + visitor.function;
  if (!visitor.base_function.empty()) {
    way += ", which calls " + visitor.base_function;
  }
  if (visitor.slot) {
    const bool several = visitor.places.size() > 1;
    way += fmt::format(", {} {} ({})", several ? "slots" : "slot", row.place,
                       analysis::owner_name(visitor.owner));
  } else if (!row.place.empty()) {
    way += ", at " + row.place;
  }
  return way;
}

void add_visitors(Text& text, std::string_view label,
                  const std::vector<analysis::Visitor>& visitors) {
  const std::vector<VisitorRow> rows = rows_of(visitors);
  const std::size_t shown = std::min(rows.size(), row_limit);
  for (std::size_t i = 0; i < shown; ++i) {
    const VisitorRow& row = rows[i];
    text.labelled(
        i == 0 ? label : "",
        fmt::format("{}: {}, {}", who_of(text, row), counted(row.visits, "visit"), way_of(row)),
        indent, column);
  }
  if (shown < rows.size()) {
    text.paragraph(fmt::format("and {} more", counted(rows.size() - shown, "kind")), column);
  }
}

/// Slots that hold one object: as many references as slots, and the visits from them.
struct SlotRow {
  std::string name;
  std::set<SlotAddress> slots;
  std::uint64_t references = 0;
  std::uint64_t visits = 0;
};

std::string slot_label(const analysis::Visitor& visitor, const analysis::VisitPlace& place) {
  if (analysis::is_foreign(place.owner) && !place.name.empty()) {
    return place.name;
  }
  if (!visitor.path.empty()) {
    return visitor.path + place.name;
  }
  return place.name.empty() ? visitor.type : visitor.type + ": " + place.name;
}

std::vector<SlotRow> slots_of(const analysis::Victim& victim) {
  std::vector<SlotRow> rows;
  const auto add = [&](const std::string& name) -> SlotRow& {
    const auto known = std::ranges::find(rows, name, &SlotRow::name);
    return known == rows.end() ? rows.emplace_back(SlotRow{.name = name, .slots = {}}) : *known;
  };
  for (const analysis::Visitor& visitor : victim.visitors) {
    std::uint64_t placed = 0;
    for (const analysis::VisitPlace& place : visitor.places) {
      SlotRow& row = add(slot_label(visitor, place));
      if (place.slot && row.slots.insert(*place.slot).second) {
        ++row.references;
      }
      row.visits += place.visits;
      placed += place.visits;
    }
    if (placed < visitor.visits) {
      SlotRow& row = add(visitor.summary + ", from slots that are not known");
      row.references += visitor.visits - placed;
      row.visits += visitor.visits - placed;
    }
  }
  std::ranges::stable_sort(rows, std::greater{},
                           [](const SlotRow& row) { return row.visits - row.references; });
  return rows;
}

void add_victim(Text& text, const analysis::Victim& victim) {
  text.labelled("victim", object_text(text, victim.object), indent, column);
  text.paragraph(fmt::format("{} - {} = gc_refs {}", counted(victim.object.refcount, "reference"),
                             counted(victim.visits, "visit"), victim.gc_refs),
                 column);
  const std::vector<SlotRow> rows = slots_of(victim);
  for (std::size_t i = 0; i < rows.size() && i < row_limit; ++i) {
    const SlotRow& row = rows[i];
    text.paragraph(fmt::format("{}, {}: {}{}", counted(row.references, "reference"),
                               counted(row.visits, "visit"), row.name,
                               row.visits > row.references ? " <- too many" : ""),
                   column + indent);
  }
}

void add_victims(Text& text, const analysis::Finding& finding) {
  if (finding.victims.empty()) {
    return;
  }
  add_victim(text, finding.victims.front());
  const std::size_t others = finding.victims.size() - 1;
  for (std::size_t i = 1; i <= std::min(others, victims_shown); ++i) {
    const analysis::Victim& victim = finding.victims[i];
    text.paragraph(fmt::format("{}: gc_refs {}", object_text(text, victim.object), victim.gc_refs),
                   column);
  }
  const std::uint64_t further =
      finding.further_victims + (others > victims_shown ? others - victims_shown : 0);
  if (further != 0) {
    text.paragraph(fmt::format("and {} more", grouped(further)), column);
  }
}

/// Of a finding without a cause: the object itself is what it is about.
void add_object(Text& text, const analysis::Finding& finding) {
  if (!finding.object || !finding.victims.empty()) {
    return;
  }
  text.paragraph(object_text(text, *finding.object), indent);
  if (finding.gc_refs && finding.visits) {
    text.paragraph(
        fmt::format("{} - {} = gc_refs {}",
                    counted(static_cast<std::uint64_t>(static_cast<std::int64_t>(*finding.visits) +
                                                       *finding.gc_refs),
                            "reference"),
                    counted(*finding.visits, "visit"), *finding.gc_refs),
        indent);
  }
  if (finding.stored) {
    text.paragraph(fmt::format("stored gc_refs {}, visits that memory does not explain: {}",
                               *finding.stored, finding.unexplained_visits.value_or(0)),
                   indent);
  }
}

void add_advice(Text& text, const analysis::Finding& finding) {
  if (!finding.effect.empty()) {
    text.labelled("effect", finding.effect, indent, column);
  }
  if (!finding.fix.empty()) {
    text.labelled("fix", finding.fix, indent, column);
  }
  if (const auto& known = finding.known) {
    text.labelled("known", fmt::format("{} ({})", known->url, known->note), indent, column);
  }
  for (std::size_t i = 0; i < finding.next.size(); ++i) {
    text.labelled(i == 0 ? "next" : "", finding.next[i], indent, column);
  }
}

} // namespace

Colour severity_colour(analysis::Severity severity) {
  switch (severity) {
  case analysis::Severity::error:
    return Colour::red;
  case analysis::Severity::warning:
    return Colour::yellow;
  case analysis::Severity::note:
    return Colour::cyan;
  }
  return Colour::none;
}

std::string_view basis_of(const analysis::Finding& finding) {
  if (finding.proven) {
    return "proven";
  }
  // Of C functions: the word may be stale.
  const bool scanned = finding.kind == analysis::FindingKind::undercounted_local &&
                       finding.severity == analysis::Severity::warning;
  return scanned ? "likely" : "";
}

void add_finding(Text& text, const analysis::Finding& finding) {
  const std::string_view severity = analysis::severity_name(finding.severity);
  const std::string_view basis = basis_of(finding);
  text.line(
      {{std::string(severity), severity_colour(finding.severity)},
       {fmt::format(
           ": {}{}{}", analysis::finding_kind_name(finding.kind),
           finding.occurrences > 1 ? fmt::format(" ({} times)", grouped(finding.occurrences)) : "",
           basis.empty() ? "" : ", " + std::string(basis))}});
  add_object(text, finding);
  text.paragraph(finding.message, indent);
  add_visitors(text, finding.stored ? "would be" : "by", finding.visitors);
  add_victims(text, finding);
  add_advice(text, finding);
}

} // namespace pygc::report
