#include "common/analysis/check/parts.h"

namespace pygc::analysis {

Detection detect_count_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::count)) {
    Finding finding = anomaly_finding(FindingKind::count_corrupt, *told.first, explainer);
    finding.message += " The interpreter never stores that: a field was overwritten, or changed by "
                       "other means than Py_INCREF and Py_DECREF.";
    finding.effect =
        "The object will leak, or be freed while it is in use. A collection in a debug "
        "build aborts where it sees that.";
    finding.proven = true;
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
