#include "common/analysis/check/parts.h"

#include <fmt/format.h>
#include <map>
#include <utility>

namespace pygc::analysis {

Detection detect_memory_missing(const Facts& facts, Explainer& explainer) {
  Detection detection;
  // One file that is not there takes thousands of objects with it.
  std::map<std::pair<std::int64_t, heap::CorruptionKind>, std::size_t> folded;
  for (const ListAnomaly& anomaly : facts.anomalies) {
    if (!anomaly.corruption.memory_missing) {
      continue;
    }
    const auto [found, first] = folded.try_emplace(
        std::pair(anomaly.interpreter, anomaly.corruption.kind), detection.findings.size());
    if (first) {
      detection.findings.push_back(
          anomaly_finding(FindingKind::memory_missing, anomaly, explainer));
    } else {
      ++detection.findings[found->second].occurrences;
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
