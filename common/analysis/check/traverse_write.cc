#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

/// Of a LastingWrite or an UndoneWrite: all but what is to be said of it.
template <typename Write>
Finding finding_about(const CollectionFacts& collection, const Write& write, Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::traverse_write;
  finding.interpreter = collection.interpreter;
  finding.object = explainer.object(write.container);
  finding.function = explainer.function_name(write.function);
  finding.pc = write.pc;
  finding.address = write.address;
  finding.occurrences = write.count;
  return finding;
}

Finding finding_of(const CollectionFacts& collection, const LastingWrite& write,
                   Explainer& explainer) {
  Finding finding = finding_about(collection, write, explainer);
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

Finding finding_of(const CollectionFacts& collection, const UndoneWrite& write,
                   Explainer& explainer) {
  Finding finding = finding_about(collection, write, explainer);
  finding.proven = true;
  const std::string object = explainer.object(write.object).summary;
  const std::string place = explainer.place(write.pc);
  if (write.locks) {
    finding.message = fmt::format(
        "The traversal by {} locks {} at {:#x} and unlocks it, in {}. The collector has stopped "
        "all threads wherever they are: where one of them holds that lock, it waits for ever.",
        finding.function, object, write.object, place);
  } else {
    finding.severity = Severity::warning;
    finding.message = fmt::format(
        "The traversal by {} takes a reference to {} at {:#x} and gives it back, in {}. The "
        "collector keeps gc_refs where the count has its owner: when the object is visited in "
        "between, the counts are merged and gc_refs is lost.",
        finding.function, object, write.object, place);
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
      for (const UndoneWrite& write : collection.trace->writes.undone) {
        detection.findings.push_back(finding_of(collection, write, explainer));
      }
    }
  }
  return detection;
}

} // namespace pygc::analysis
