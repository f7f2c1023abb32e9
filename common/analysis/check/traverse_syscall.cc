#include "common/analysis/check/parts.h"

namespace pygc::analysis {

Detection detect_traverse_syscall(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    for (const IncidentGroup& group : collection.incidents.groups) {
      if (group.first.outcome == replay::Outcome::syscall) {
        Finding finding =
            incident_finding(FindingKind::traverse_syscall, collection, group, explainer);
        finding.severity = Severity::warning;
        finding.message = incident_sentence(group, explainer) + ".";
        detection.findings.push_back(std::move(finding));
      }
    }
  }
  return detection;
}

} // namespace pygc::analysis
