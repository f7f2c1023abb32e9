#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t dangling_limit = 50; // told one by one

Finding finding_of(const DanglingVisit& dangling, Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::dangling_reference;
  finding.interpreter = dangling.interpreter;
  finding.address = dangling.object;
  std::uint64_t visits = 0;
  for (const DanglingVisit::By& by : dangling.by) {
    Visitor visitor = explainer.visitor(by.container, dangling.object, by.visits);
    if (by.slot.is_known()) {
      explainer.attach_slot(visitor, by.slot);
    }
    if (const std::string name = explainer.item_name(by.container, dangling.object);
        !name.empty()) {
      visitor.slot_name = name;
    }
    visits += by.visits;
    finding.visitors.push_back(std::move(visitor));
  }
  finding.visits = visits;
  const Visitor& first = finding.visitors.front();
  finding.message = fmt::format(
      "{}{} refers to {:#x}, which is no live object: {}. A reference was released that was not "
      "owned, or one that is held was never taken; the next collection or use reads freed memory.",
      first.summary, first.slot_name.empty() ? "" : ", at " + first.slot_name + ",",
      dangling.object, dangling.state);
  return finding;
}

} // namespace

Detection detect_dangling_reference(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const DanglingVisit& dangling : facts.dangling) {
    if (detection.findings.size() < dangling_limit) {
      detection.findings.push_back(finding_of(dangling, explainer));
    }
  }
  note_rest(detection, facts.dangling.size(), dangling_limit, "dangling references");
  return detection;
}

} // namespace pygc::analysis
