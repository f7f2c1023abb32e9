#include "common/analysis/check/parts.h"

#include <fmt/format.h>
#include <map>

namespace pygc::analysis {
namespace {

/// Told at the first of the objects: what is damaged is the type that they share.
void tell_of_type(Finding& finding, Address type, std::uint64_t objects) {
  finding.occurrences = objects;
  finding.address = type;
  finding.message += fmt::format(" The type object at {:#x} is what all {} of them have in common: "
                                 "it was freed or overwritten while they live.",
                                 type, objects);
}

} // namespace

Detection detect_object_corrupt(const Facts& facts, Explainer& explainer) {
  std::map<std::pair<std::int64_t, Address>, std::uint64_t> of_type;
  for (const ListAnomaly& anomaly : facts.anomalies) {
    const heap::Corruption& corruption = anomaly.corruption;
    if (corruption.kind == heap::CorruptionKind::object && !corruption.memory_missing &&
        corruption.type != 0) {
      ++of_type[{anomaly.interpreter, corruption.type}];
    }
  }
  Detection detection;
  for (const ListAnomaly* anomaly : told_anomalies(facts, heap::CorruptionKind::object)) {
    const auto shared = of_type.find({anomaly->interpreter, anomaly->corruption.type});
    if (shared != of_type.end() && shared->second == 0) {
      continue; // told with the first one
    }
    Finding finding = anomaly_finding(FindingKind::object_corrupt, *anomaly, explainer);
    if (shared != of_type.end()) {
      if (shared->second > 1) {
        tell_of_type(finding, anomaly->corruption.type, shared->second);
      }
      shared->second = 0;
    }
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
