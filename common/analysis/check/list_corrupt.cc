#include "common/analysis/check/parts.h"

namespace pygc::analysis {

Detection detect_list_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ListAnomaly& anomaly : told_anomalies(facts)) {
    if (anomaly.corruption.kind == heap::CorruptionKind::list &&
        !anomaly.corruption.memory_missing) {
      Finding finding = anomaly_finding(FindingKind::list_corrupt, anomaly, explainer);
      finding.message += " The next collection of this generation will crash or lose objects.";
      detection.findings.push_back(std::move(finding));
    }
  }
  return detection;
}

} // namespace pygc::analysis
