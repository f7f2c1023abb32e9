#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t object_limit = 50; // told one by one
constexpr std::size_t place_limit = 5;   // variables told of one object

/// The first few of them: "'a' of f() (a.py:3), 'b' of g() (a.py:9) and 4 more".
template <typename Place, typename Text>
std::string places(const std::vector<Place>& all, Text text_of) {
  std::string text;
  for (std::size_t i = 0; i < all.size() && i < place_limit; ++i) {
    text += (i == 0 ? "" : ", ") + text_of(all[i]);
  }
  if (all.size() > place_limit) {
    text += fmt::format(" and {} more", all.size() - place_limit);
  }
  return text;
}

Finding finding_of(const UndercountedObject& object, Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::undercounted_local;
  finding.interpreter = object.interpreter;
  finding.object = explainer.object(object.object);
  finding.gc_refs = object.gc_refs;
  const bool one = object.references.size() == 1;
  finding.address = object.references.front().at.at;
  finding.message = fmt::format(
      "The local variable{} {} use{} it, but of its {} reference{} {} {} left for what no "
      "container "
      "visits: a reference was released that was not owned. {}",
      one ? "" : "s",
      places(object.references, [&](const auto& each) { return explainer.variable(each); }),
      one ? "s" : "", finding.object->refcount, finding.object->refcount == 1 ? "" : "s",
      object.gc_refs == 0 ? "none" : std::to_string(object.gc_refs),
      object.gc_refs <= 1 ? "is" : "are",
      object.gc_refs == 0
          ? "Unless a reachable container has it too, the next collection frees it in use."
          : "It is freed while it is in use as soon as the others are released.");
  return finding;
}

std::string hold_text(const CodeHold& hold, Explainer& explainer) {
  const std::string line = explainer.source_line(hold.pc);
  return fmt::format("'{}' of {}() ({}thread {})", hold.variable, hold.function,
                     line.empty() ? "" : line + ", ", hold.tid);
}

/// That a function will use again what its variable holds is not known.
Finding finding_of(const GarbageInUse& used, Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::undercounted_local;
  finding.severity = Severity::warning;
  finding.interpreter = used.interpreter;
  finding.object = explainer.object(used.object);
  finding.gc_refs = 0;
  finding.function = used.holds.front().function;
  finding.pc = used.holds.front().pc;
  const bool one = used.holds.size() == 1;
  finding.message = fmt::format(
      "The variable{} {} hold{} it, but no reference is left for what no container visits, and "
      "nothing that is reachable visits it (exact): the next collection frees it, in use if the "
      "function goes on to use it (likely). A reference was released that was not owned, or the "
      "function has one that it has not taken.",
      one ? "" : "s",
      places(used.holds, [&](const CodeHold& each) { return hold_text(each, explainer); }),
      one ? "s" : "");
  return finding;
}

} // namespace

Detection detect_undercounted_local(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const UndercountedObject& object : facts.undercounted) {
    if (detection.findings.size() < object_limit) {
      detection.findings.push_back(finding_of(object, explainer));
    }
  }
  note_rest(detection, facts.undercounted.size(), object_limit, "undercounted objects");
  for (std::size_t i = 0; i < facts.in_use.size() && i < object_limit; ++i) {
    detection.findings.push_back(finding_of(facts.in_use[i], explainer));
  }
  note_rest(detection, facts.in_use.size(), object_limit, "unreachable objects in use");
  return detection;
}

} // namespace pygc::analysis
