#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {

Detection detect_traverse_assertion(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    for (const IncidentGroup& group : collection.incidents.groups) {
      if (!group.fatal_call) {
        continue;
      }
      Finding finding =
          incident_finding(FindingKind::traverse_assertion, collection, group, explainer);
      finding.message = incident_sentence(group, explainer) + ".";
      if (const Address object = group.fatal_call->object; object != 0) {
        finding.address = object;
        finding.message +=
            fmt::format(" It is about {} at {:#x}.", explainer.object(object).summary, object);
      }
      finding.message += " The next collection of this object ends the process.";
      detection.findings.push_back(std::move(finding));
    }
  }
  return detection;
}

} // namespace pygc::analysis
