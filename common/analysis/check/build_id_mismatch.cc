#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {

Detection detect_build_id_mismatch(const Facts& facts, Explainer& /*explainer*/) {
  Detection detection;
  for (const MismatchedFile& file : facts.mismatched_files) {
    Finding finding;
    finding.kind = FindingKind::build_id_mismatch;
    finding.severity = Severity::warning;
    finding.address = file.start;
    finding.message = fmt::format("{}. Nothing of that file was run.", file.problem);
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
