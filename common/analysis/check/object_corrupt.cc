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

/// Whose fault it is: a tp_dealloc has to untrack its object before it releases anything.
void tell_of_deallocation(Finding& finding, const Deallocation& deallocation) {
  finding.function = deallocation.function;
  finding.message += fmt::format(
      " It is being freed: {}{} of {} is on a stack and has not untracked it (PyObject_GC_UnTrack "
      "comes first in a tp_dealloc), so that a collection that runs meanwhile traverses it.",
      deallocation.function, deallocation.line.empty() ? "" : " (" + deallocation.line + ")",
      deallocation.library);
}

} // namespace

Detection detect_object_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::object)) {
    Finding finding = anomaly_finding(FindingKind::object_corrupt, *told.first, explainer);
    if (told.objects > 1) {
      tell_of_type(finding, told.first->corruption.type, told.objects);
    }
    if (told.first->deallocation) {
      tell_of_deallocation(finding, *told.first->deallocation);
    }
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
