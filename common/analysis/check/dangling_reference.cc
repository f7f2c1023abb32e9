#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t dangling_limit = 50; // told one by one

/// "app.__dict__['opts']", "<app.C object>, at .next,"
std::string holder(const Visitor& visitor) {
  if (visitor.slot_name.empty()) {
    return visitor.summary;
  }
  return visitor.path.empty() ? visitor.summary + ", at " + visitor.slot_name + ","
                              : visitor.path + visitor.slot_name;
}

Finding finding_of(const DanglingVisit& dangling, Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::dangling_reference;
  finding.interpreter = dangling.interpreter;
  finding.address = dangling.object;
  std::uint64_t visits = 0;
  for (const DanglingVisit::By& by : dangling.by) {
    Visitor visitor = explainer.visitor(by.container, dangling.object, by.visits);
    if (by.slot.is_known()) {
      explainer.attach_slot(visitor, by.slot, by.visits);
    }
    if (visitor.slot_name.empty()) {
      visitor.slot_name = explainer.item_name(by.container, dangling.object);
    }
    visits += by.visits;
    finding.visitors.push_back(std::move(visitor));
  }
  finding.visits = visits;
  const Visitor& first = finding.visitors.front();
  if (dangling.wild) {
    finding.message = fmt::format(
        "{} refers to {:#x}, where the process has no memory. The container was tracked before the "
        "field was set, or the field was overwritten; the next collection crashes.",
        holder(first), dangling.object);
    return finding;
  }
  finding.message = fmt::format(
      "{} refers to {:#x}, which is no live object: {}. A reference was released that was not "
      "owned, or one that is held was never taken; the next collection or use reads freed memory.",
      holder(first), dangling.object, dangling.state);
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
