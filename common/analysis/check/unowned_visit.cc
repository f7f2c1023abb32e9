#include "common/analysis/check/advice.h"
#include "common/analysis/check/parts.h"
#include "common/base/numbers.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t slot_limit = 5000; // slots looked at of one interpreter

std::string what_it_visits(const ForeignSlot& slot, const Visitor& first) {
  const std::size_t count = slot.visits.size();
  return fmt::format("{} visits {}, {}, which the {} that {} it {} not own.", first.function,
                     first.slot_name.empty() ? fmt::format("the slot {:#x}", slot.slot.at)
                                             : first.slot_name,
                     first.owner == Owner::static_storage
                         ? "a static variable"
                         : fmt::format("a field of the {}", owner_name(first.owner)),
                     count == 1 ? "container" : counted(count, "container"),
                     count == 1 ? "visits" : "visit", count == 1 ? "does" : "do");
}

/// What it does to the object's gc_refs, and how bad that is.
void judge(const ForeignSlot& slot, bool reachable, bool debug_build, Finding& finding) {
  const std::int64_t gc_refs = finding.gc_refs.value_or(0);
  const std::size_t count = slot.visits.size();
  finding.effect = effect_of(gc_refs, reachable, debug_build);
  if (gc_refs >= 0 && reachable && !(gc_refs == 0 && count > 1)) {
    const bool alone = count == 1 && slot.visits.front().single_with_globals;
    finding.severity = alone ? Severity::note : Severity::warning;
    finding.effect =
        alone
            ? "The module has global state and a single instance: as long as there is only one "
              "and it lives, nothing goes wrong."
            : fmt::format(
                  "Nothing is wrong yet: one more instance would make gc_refs {} - 1 = {}. If "
                  "this one became garbage, its visit would still be subtracted (gc_refs {}), and "
                  "only what else refers to the object would keep the collector from clearing it.",
                  gc_refs, gc_refs - 1, gc_refs);
  } else if (gc_refs == 0) {
    finding.effect += fmt::format("{}Its owner still has it: without {} gc_refs would be {}.",
                                  finding.effect.empty() ? "" : " ",
                                  count == 1 ? "the visit" : "these visits", count);
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
      finding.proven = true;
      finding.victims = {victim_of(finding, slot.visits.size())};
      for (const ForeignSlot::Visit& visit :
           std::span(slot.visits).first(std::min(slot.visits.size(), visitor_limit))) {
        finding.visitors.push_back(
            slot_visitor(explainer, visit.container, slot.object, 1, slot.slot));
      }
      finding.function = finding.visitors.front().function;
      finding.field = field_of(finding.visitors.front().slot_name);
      finding.message = what_it_visits(slot, finding.visitors.front());
      judge(slot, referent->second.reachable, explainer.is_debug_build(), finding);
      detection.findings.push_back(std::move(finding));
    }
    note_rest(detection, told, slot_limit, "slots visited without ownership");
  }
  return detection;
}

} // namespace pygc::analysis
