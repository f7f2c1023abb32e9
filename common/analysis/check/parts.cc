#include "common/analysis/check/parts.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

namespace pygc::analysis {
namespace {

constexpr std::size_t anomaly_limit = 50; // told one by one

bool is_damage(const ListAnomaly& anomaly, heap::CorruptionKind kind) {
  return anomaly.corruption.kind == kind && !anomaly.corruption.memory_missing &&
         !anomaly.corruption.in_motion;
}

} // namespace

std::vector<ToldAnomaly> told_anomalies(const Facts& facts, heap::CorruptionKind kind) {
  std::vector<ToldAnomaly> told;
  std::map<std::pair<std::int64_t, Address>, std::size_t> of_type; // index of what tells it
  for (const ListAnomaly& anomaly : facts.anomalies) {
    if (!is_damage(anomaly, kind)) {
      continue;
    }
    if (const Address type = anomaly.corruption.type; type != 0) {
      const auto [known, first] = of_type.try_emplace({anomaly.interpreter, type}, told.size());
      if (!first) {
        told[known->second].objects += 1;
        continue;
      }
    }
    told.push_back({.first = &anomaly});
  }
  told.resize(std::min(told.size(), anomaly_limit));
  return told;
}

std::uint64_t count_anomalies(const Facts& facts, heap::CorruptionKind kind) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      facts.anomalies, [kind](const ListAnomaly& anomaly) { return is_damage(anomaly, kind); }));
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
  return fmt::format(
      "The traversal by {} {}", explainer.function_name(group.function),
      describe_incident(group.first, explainer.place(place_of(group.first)), group.fatal_call));
}

Finding object_finding(FindingKind kind, const CollectionFacts& collection, heap::SetIndex object,
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
                     SlotAddress slot) {
  Visitor visitor = explainer.visitor(container, object, visits);
  explainer.attach_slot(visitor, slot, visits);
  return visitor;
}

Victim victim_of(const Finding& finding, std::uint64_t too_many) {
  return {.object = *finding.object,
          .gc_refs = finding.gc_refs.value_or(0),
          .visits = finding.visits.value_or(0),
          .too_many = too_many,
          .visitors = {}};
}

std::string field_of(std::string_view slot_name) {
  std::string field;
  for (std::size_t i = 0; i < slot_name.size(); ++i) {
    field += slot_name[i];
    if (slot_name[i] == '[') {
      const std::size_t end = slot_name.find(']', i);
      if (end != std::string_view::npos) {
        field += "*]";
        i = end;
      }
    }
  }
  return field;
}

void note_rest(Detection& detection, std::uint64_t count, std::uint64_t limit,
               std::string_view what) {
  if (count > limit) {
    detection.notes.push_back(fmt::format("{} further {} are not listed", count - limit, what));
  }
}

} // namespace pygc::analysis
