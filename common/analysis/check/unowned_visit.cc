#include "common/analysis/check/parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t slot_limit = 100; // slots told for one interpreter

std::string what_it_visits(const ForeignSlot& slot, const Visitor& first) {
  const std::size_t count = slot.visits.size();
  return fmt::format(
      "{} visits {}, {}, which the {} container{} that visit{} it {} not own. ", first.function,
      first.slot_name.empty() ? fmt::format("the slot {:#x}", slot.slot.at) : first.slot_name,
      first.owner == Owner::static_storage
          ? "a static variable"
          : fmt::format("a field of the {}", owner_name(first.owner)),
      count, count == 1 ? "" : "s", count == 1 ? "s" : "", count == 1 ? "does" : "do");
}

/// What it does to the object's gc_refs, and how bad that is.
void judge(const ForeignSlot& slot, bool reachable, Finding& finding) {
  const std::int64_t gc_refs = finding.gc_refs.value_or(0);
  const std::size_t count = slot.visits.size();
  if (gc_refs < 0 || (gc_refs == 0 && count > 1)) {
    finding.message += fmt::format("{} visit{} against one reference: gc_refs {} is too small.",
                                   count, count == 1 ? " stands" : "s stand", gc_refs);
  } else if (!reachable) {
    finding.message +=
        fmt::format("The collector takes the object for garbage (gc_refs {}) and will clear it, "
                    "though the owner still keeps its reference: without the visit gc_refs would "
                    "be {}.",
                    gc_refs, gc_refs + static_cast<std::int64_t>(count));
  } else if (count == 1 && slot.visits.front().single_with_globals) {
    finding.severity = Severity::note;
    finding.message +=
        "The module has global state and a single instance: as long as there is only one and it "
        "lives, nothing goes wrong.";
  } else {
    finding.severity = Severity::warning;
    finding.message += fmt::format(
        "Nothing is wrong yet: one more instance would make gc_refs {} - 1 = {}. If this one "
        "became garbage, its visit would still be subtracted (gc_refs {}), and only what else "
        "refers to the object would keep the collector from clearing it.",
        gc_refs, gc_refs - 1, gc_refs);
  }
}

} // namespace

Detection detect_unowned_visit(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    if (!collection.trace) {
      continue;
    }
    std::size_t told = 0;
    for (const ForeignSlot& slot : collection.trace->foreign_slots) {
      const auto referent = collection.trace->referents.find(slot.object);
      if (referent == collection.trace->referents.end() || ++told > slot_limit) {
        continue; // an object that is not collected: the visit does not count
      }
      Finding finding = object_finding(FindingKind::unowned_visit, collection,
                                       referent->second.object, explainer);
      for (const ForeignSlot::Visit& visit :
           std::span(slot.visits).first(std::min(slot.visits.size(), visitor_limit))) {
        finding.visitors.push_back(
            slot_visitor(explainer, visit.container, slot.object, 1, slot.slot));
      }
      finding.function = finding.visitors.back().function;
      finding.message = what_it_visits(slot, finding.visitors.front());
      judge(slot, referent->second.reachable, finding);
      detection.findings.push_back(std::move(finding));
    }
    note_rest(detection, told, slot_limit, "slots visited without ownership");
  }
  return detection;
}

} // namespace pygc::analysis
