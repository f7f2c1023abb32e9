#include "common/analysis/check/parts.h"

namespace pygc::analysis {

Detection detect_unmerged_count(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::unmerged)) {
    Finding finding = anomaly_finding(FindingKind::unmerged_count, *told.first, explainer);
    finding.message += " No thread is on its way to a queue with it, so nobody merges them: the "
                       "reference that a queue would hold is never given back.";
    finding.effect = "The object is never freed, nor what it refers to: a collection takes the "
                     "reference for one from outside.";
    finding.proven = true;
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
