#include "common/analysis/check/parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t slot_limit = 100; // slots told for one interpreter

Finding finding_of(const CollectionFacts& collection, const DuplicateSlot& slot,
                   const Referent& referent, Explainer& explainer) {
  Finding finding =
      object_finding(FindingKind::duplicate_visit, collection, referent.object, explainer);
  for (const DuplicateSlot::Container& container :
       std::span(slot.containers).first(std::min(slot.containers.size(), visitor_limit))) {
    finding.visitors.push_back(
        slot_visitor(explainer, container.address, slot.object, container.visits, slot.slot));
  }
  finding.function = finding.visitors.back().function;
  const std::int64_t gc_refs = collection.gc_refs(referent.object);
  const std::size_t containers = slot.containers.size();
  const std::uint64_t visits = slot.visits();
  const std::int64_t counted_once = gc_refs + static_cast<std::int64_t>(visits) - 1;
  finding.message =
      containers == 1
          ? fmt::format("{} visits one slot {} times: one reference, counted {} times. ",
                        finding.function, visits, visits)
          : fmt::format("{} containers visit one slot, {} times altogether: one reference, counted "
                        "{} times. ",
                        containers, visits, visits);
  if (gc_refs < 0) {
    finding.message += fmt::format("gc_refs {} is too small.", gc_refs);
  } else if (!referent.reachable) {
    finding.message +=
        fmt::format("The collector takes the object for garbage (gc_refs {}), though something "
                    "outside still refers to it: counted once, gc_refs would be {}.",
                    gc_refs, counted_once);
  } else {
    finding.severity = Severity::warning;
    finding.message += fmt::format(
        "gc_refs is {} instead of {}: as soon as fewer references from outside exist than visits "
        "too many, it becomes negative, or the object is cleared while it is in use.",
        gc_refs, counted_once);
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
