#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

/// Told at the first of the objects: what is damaged is the type that they share.
void tell_of_type(Finding& finding, Address type, std::uint64_t objects) {
  finding.occurrences = objects;
  finding.address = type;
  finding.message += fmt::format(" The type object at {:#x} is what all {} of them have in common: "
                                 "it was freed or overwritten while they live.",
                                 type, objects);
}

} // namespace

Detection detect_object_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::object)) {
    Finding finding = anomaly_finding(FindingKind::object_corrupt, *told.first, explainer);
    if (told.objects > 1) {
      tell_of_type(finding, told.first->corruption.type, told.objects);
    }
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
