#include "common/analysis/check/advice.h"
#include "common/analysis/check/parts.h"
#include "common/base/numbers.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t slot_limit = 5000; // slots looked at of one interpreter

std::string what_it_visits(const DuplicateSlot& slot, const Visitor& first) {
  const std::uint64_t visits = slot.visits();
  const std::string what = first.slot_name.empty() ? "one slot" : first.slot_name;
  if (slot.containers.size() > 1) {
    return fmt::format("{} visit {}, {} times altogether: one reference, counted {} times.",
                       counted(slot.containers.size(), "container"), what, visits, visits);
  }
  if (first.base_function.empty()) {
    return fmt::format("{} visits {} {} times: one reference, counted {} times.", first.function,
                       what, visits, visits);
  }
  return fmt::format("{} visits {}, which {} that calls it visits, too: one reference, counted {} "
                     "times.",
                     first.base_function, what, first.function, visits);
}

Finding finding_of(const CollectionFacts& collection, const DuplicateSlot& slot,
                   const Referent& referent, Explainer& explainer) {
  Finding finding =
      object_finding(FindingKind::duplicate_visit, collection, referent.object, explainer);
  for (const DuplicateSlot::Container& container :
       std::span(slot.containers).first(std::min(slot.containers.size(), visitor_limit))) {
    finding.visitors.push_back(
        slot_visitor(explainer, container.address, slot.object, container.visits, slot.slot));
  }
  const Visitor& first = finding.visitors.front();
  const std::int64_t gc_refs = collection.gc_refs(referent.object);
  const std::uint64_t visits = slot.visits();
  // Two functions visit for a class that derives from an extension's type: the interpreter's is the
  // one that is right.
  finding.function =
      first.extension_function().empty() ? first.function : first.extension_function();
  finding.field = field_of(first.slot_name);
  finding.proven = true;
  finding.victims = {victim_of(finding, visits - 1)};
  finding.message = what_it_visits(slot, first);
  finding.effect = effect_of(gc_refs, referent.reachable, explainer.is_debug_build());
  const std::int64_t counted_once = gc_refs + static_cast<std::int64_t>(visits) - 1;
  if (gc_refs >= 0 && referent.reachable) {
    finding.severity = Severity::warning;
    finding.effect = fmt::format(
        "gc_refs is {} instead of {}: as soon as fewer references from outside exist than visits "
        "too many, it becomes negative, or the object is cleared while it is in use.",
        gc_refs, counted_once);
  } else if (gc_refs == 0) {
    finding.effect += fmt::format(" Counted once, gc_refs would be {}.", counted_once);
  }
  return finding;
}

} // namespace

Detection detect_duplicate_visit(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    if (!collection.trace) {
      continue;
    }
    std::size_t told = 0;
    for (const DuplicateSlot& slot : collection.trace->duplicate_slots) {
      const auto referent = collection.trace->referents.find(slot.object);
      if (referent != collection.trace->referents.end() && ++told <= slot_limit) {
        detection.findings.push_back(finding_of(collection, slot, referent->second, explainer));
      }
    }
    note_rest(detection, told, slot_limit, "slots visited more than once");
  }
  return detection;
}

} // namespace pygc::analysis
