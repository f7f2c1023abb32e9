#include "common/analysis/check/parts.h"

namespace pygc::analysis {

Detection detect_list_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::space)) {
    Finding finding = anomaly_finding(FindingKind::list_corrupt, *told.first, explainer);
    finding.message += " The next collection of this generation will crash or lose objects.";
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
