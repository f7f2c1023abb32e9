#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

Finding finding_of(const CollectionFacts& collection, const LastingWrite& write,
                   Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::traverse_write;
  finding.interpreter = collection.interpreter;
  finding.object = explainer.object(write.container);
  finding.function = explainer.function_name(write.function);
  finding.pc = write.pc;
  finding.address = write.address;
  finding.occurrences = write.count;
  std::string place = explainer.place(write.pc);
  if (write.places > 1) {
    place += fmt::format(" and at {} more places", write.places - 1);
  }
  if (write.counted != 0) {
    finding.message = fmt::format(
        "The traversal by {} {}. The collector has copied the counts before it traverses: the "
        "object will leak, or be freed while it is in use.",
        finding.function,
        describe_count_change(explainer.object(write.counted).summary, write.counted, place));
  } else {
    finding.severity = Severity::warning;
    finding.message = fmt::format("The traversal by {} {}. A traverse function must have no side "
                                  "effects: it runs several times in each collection.",
                                  finding.function, describe_write(write.address, place));
  }
  return finding;
}

} // namespace

Detection detect_traverse_write(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    if (collection.trace) {
      for (const LastingWrite& write : collection.trace->writes.writes) {
        detection.findings.push_back(finding_of(collection, write, explainer));
      }
    }
  }
  return detection;
}

} // namespace pygc::analysis
