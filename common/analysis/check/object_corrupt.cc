#include "common/analysis/check/parts.h"

namespace pygc::analysis {

Detection detect_object_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ListAnomaly* anomaly : told_anomalies(facts, heap::CorruptionKind::object)) {
    detection.findings.push_back(anomaly_finding(FindingKind::object_corrupt, *anomaly, explainer));
  }
  return detection;
}

} // namespace pygc::analysis
