#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {

Detection detect_lost_object(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const LostObjects& lost : facts.lost) {
    Finding finding;
    finding.kind = FindingKind::lost_object;
    // While a collection runs its own lists may be where pygc did not find them.
    finding.severity = facts.running ? Severity::warning : Severity::error;
    finding.interpreter = lost.interpreter;
    finding.object = explainer.object(lost.first);
    finding.occurrences = lost.count;
    finding.message = fmt::format(
        "Its GC head says that it is tracked, but no list of the collector leads to it ({} refers "
        "to it). A link of a list leads past it, or its interpreter has ended: it is never "
        "collected, and untracking it writes to where its neighbours were.",
        explainer.object(lost.container).summary);
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
