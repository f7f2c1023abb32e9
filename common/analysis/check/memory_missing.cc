#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {

Detection detect_memory_missing(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ListAnomaly& anomaly : told_anomalies(facts)) {
    if (anomaly.corruption.memory_missing) {
      detection.findings.push_back(
          anomaly_finding(FindingKind::memory_missing, anomaly, explainer));
    }
  }
  for (const CollectionFacts& collection : facts.collections) {
    for (const IncidentGroup& group : collection.incidents.groups) {
      if (group.missing_memory) {
        Finding finding =
            incident_finding(FindingKind::memory_missing, collection, group, explainer);
        finding.message = fmt::format(
            "The traversal by {} needs the memory at {:#x}, which is not to be had: {}.",
            finding.function, group.first.address, *group.missing_memory);
        detection.findings.push_back(std::move(finding));
      }
    }
  }
  for (Finding& finding : detection.findings) {
    finding.severity = Severity::warning;
  }
  return detection;
}

} // namespace pygc::analysis
