#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {

Detection detect_traverse_fault(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    for (const IncidentGroup& group : collection.incidents.groups) {
      const replay::Outcome outcome = group.first.outcome;
      if (group.missing_memory || outcome == replay::Outcome::syscall ||
          outcome == replay::Outcome::timeout || outcome == replay::Outcome::assertion) {
        continue;
      }
      Finding finding = incident_finding(FindingKind::traverse_fault, collection, group, explainer);
      finding.message = incident_sentence(group, explainer) + ".";
      if (group.calls_interpreter) {
        finding.message += fmt::format(
            " {} calls the interpreter there, which wants a current thread and memory of its own: "
            "in a collection that may work, or end otherwise. A traverse function only visits.",
            finding.function);
        finding.fix = "visit in a traverse function, and do nothing else";
      } else if (outcome != replay::Outcome::illegal_instruction &&
                 outcome != replay::Outcome::trap) {
        finding.message += " The next collection of this object will crash.";
      }
      detection.findings.push_back(std::move(finding));
    }
  }
  return detection;
}

} // namespace pygc::analysis
