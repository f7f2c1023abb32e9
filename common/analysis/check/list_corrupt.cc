#include "common/analysis/check/parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t type_limit = 4; // told of an object that does not tell its own

/// Of what an object may have been that does not tell its type any more.
std::string what_lies_around(Address object, Explainer& explainer) {
  const ObjectState state = explainer.state(object);
  if (state.readable && state.type_problem.empty()) {
    return {};
  }
  std::vector<TypeAround> types = explainer.types_around(object);
  types.resize(std::min(types.size(), type_limit));
  std::string text;
  for (const TypeAround& type : types) {
    text += fmt::format("{}'{}' ({})", text.empty() ? "" : ", ", type.name, type.objects);
  }
  return text.empty() ? text
                      : fmt::format(" Around it in memory lie objects of {}: it may have been one "
                                    "of these.",
                                    text);
}

} // namespace

Detection detect_list_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::space)) {
    Finding finding = anomaly_finding(FindingKind::list_corrupt, *told.first, explainer);
    if (told.first->corruption.object != 0) {
      finding.message += what_lies_around(told.first->corruption.object, explainer);
    }
    finding.message += " The next collection of this generation will crash or lose objects.";
    detection.findings.push_back(std::move(finding));
  }
  return detection;
}

} // namespace pygc::analysis
