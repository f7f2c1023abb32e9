#include "common/analysis/check/parts.h"

#include <fmt/format.h>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

constexpr std::size_t dangling_limit = 50; // told one by one
// More of them in one container are not references that were released one by one.
constexpr std::uint64_t released_limit = 3;

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
    finding.fix = "set all fields before PyObject_GC_Track is called";
    return finding;
  }
  finding.message = fmt::format(
      "{} refers to {:#x}, which is no live object: {}. A reference was released that was not "
      "owned, or one that is held was never taken; the next collection or use reads freed memory.",
      holder(first), dangling.object, dangling.state);
  return finding;
}

/// How many dead objects each container visits that is their only visitor.
std::map<Address, std::uint64_t> count_by_container(const Facts& facts) {
  std::map<Address, std::uint64_t> counts;
  for (const DanglingVisit& dangling : facts.dangling) {
    if (dangling.by.size() == 1) {
      ++counts[dangling.by.front().container];
    }
  }
  return counts;
}

} // namespace

Detection detect_dangling_reference(const Facts& facts, Explainer& explainer) {
  Detection detection;
  const auto counts = count_by_container(facts);
  std::set<Address> damaged; // containers that are told
  std::uint64_t told = 0;
  for (const DanglingVisit& dangling : facts.dangling) {
    const Address container = dangling.by.size() == 1 ? dangling.by.front().container : 0;
    const std::uint64_t count = container == 0 ? 1 : counts.at(container);
    const bool of_damaged = count > released_limit;
    if (of_damaged && !damaged.insert(container).second) {
      continue;
    }
    if (++told > dangling_limit) {
      continue;
    }
    Finding finding = finding_of(dangling, explainer);
    if (of_damaged) {
      finding.occurrences = count;
      finding.message += fmt::format(
          " It refers to {} such addresses: the container itself may be what is damaged, or what "
          "tells its size.",
          count);
    }
    detection.findings.push_back(std::move(finding));
  }
  note_rest(detection, told, dangling_limit, "dangling references");
  return detection;
}

} // namespace pygc::analysis
