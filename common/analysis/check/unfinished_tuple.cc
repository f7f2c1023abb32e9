#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t tuple_limit = 20; // told one by one

} // namespace

Detection detect_unfinished_tuple(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const UnfinishedTuple& tuple : facts.unfinished) {
    if (detection.findings.size() >= tuple_limit) {
      break;
    }
    Finding finding;
    finding.kind = FindingKind::unfinished_tuple;
    finding.severity = Severity::warning;
    finding.interpreter = tuple.interpreter;
    finding.object = explainer.object(tuple.object);
    finding.message = fmt::format(
        "Item {} of {} is NULL, and {}: it is tracked since it was made, and was handed out before "
        "it was filled ({}gc.get_referrers() and gc.get_objects() do that). Whoever reads the item "
        "crashes.",
        tuple.first_missing, tuple.size,
        tuple.handed_out
            ? fmt::format("there are {} references to the tuple", finding.object->refcount)
            : "the one reference to the tuple is a container's",
        tuple.handed_out ? "" : "a C function that returns what PyTuple_New has made, or ");
    detection.findings.push_back(std::move(finding));
  }
  note_rest(detection, facts.unfinished.size(), tuple_limit, "unfinished tuples");
  return detection;
}

} // namespace pygc::analysis
