#include "common/analysis/check/parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t anomaly_limit = 50; // told one by one

} // namespace

std::vector<const ListAnomaly*> told_anomalies(const Facts& facts, heap::CorruptionKind kind) {
  std::vector<const ListAnomaly*> told;
  for (const ListAnomaly& anomaly : facts.anomalies) {
    if (anomaly.corruption.kind == kind && !anomaly.corruption.memory_missing &&
        told.size() < anomaly_limit) {
      told.push_back(&anomaly);
    }
  }
  return told;
}

Finding anomaly_finding(FindingKind kind, const ListAnomaly& anomaly, Explainer& explainer) {
  Finding finding;
  finding.kind = kind;
  finding.interpreter = anomaly.interpreter;
  const heap::Corruption& corruption = anomaly.corruption;
  const Address shown = corruption.object != 0 ? corruption.object : corruption.previous;
  if (shown != 0) {
    finding.object = explainer.object(shown);
    finding.address = shown;
  }
  finding.message = fmt::format("Generation {}: {}.", anomaly.generation, corruption.message);
  return finding;
}

Finding incident_finding(FindingKind kind, const CollectionFacts& collection,
                         const IncidentGroup& group, Explainer& explainer) {
  Finding finding;
  finding.kind = kind;
  finding.interpreter = collection.interpreter;
  finding.object = explainer.object(group.container);
  finding.function = explainer.function_name(group.function);
  finding.pc = group.first.pc;
  finding.address = group.first.address;
  finding.occurrences = group.count;
  return finding;
}

std::string incident_sentence(const IncidentGroup& group, Explainer& explainer) {
  return fmt::format("The traversal by {} {}", explainer.function_name(group.function),
                     describe_incident(group.first, explainer.place(group.first.pc)));
}

Finding object_finding(FindingKind kind, const CollectionFacts& collection, std::uint32_t object,
                       Explainer& explainer) {
  Finding finding;
  finding.kind = kind;
  finding.interpreter = collection.interpreter;
  finding.object = explainer.object(collection.set.objects[object]);
  finding.gc_refs = collection.gc_refs(object);
  finding.visits = collection.visits(object);
  return finding;
}

Visitor slot_visitor(Explainer& explainer, Address container, Address object, std::uint64_t visits,
                     Address slot) {
  Visitor visitor = explainer.visitor(container, object, visits);
  explainer.attach_slot(visitor, slot);
  return visitor;
}

void note_rest(Detection& detection, std::uint64_t count, std::uint64_t limit,
               std::string_view what) {
  if (count > limit) {
    detection.notes.push_back(fmt::format("{} further {} are not listed", count - limit, what));
  }
}

} // namespace pygc::analysis
