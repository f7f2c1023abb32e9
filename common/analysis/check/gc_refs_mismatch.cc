#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t mismatch_limit = 50;

class MismatchDetector {
public:
  MismatchDetector(const RunningFacts& running, Explainer& explainer)
      : running_(running), gc_refs_(*running.gc_refs), explainer_(explainer) {}

  Detection run() {
    Detection detection;
    std::size_t differ = 0;
    for (std::uint32_t i = 0; i < running_.set.objects.size(); ++i) {
      // The traversal in progress may have made none, some or all of its visits.
      if (gc_refs_.collecting[i] &&
          (gc_refs_.stored[i] > gc_refs_.before[i] || gc_refs_.stored[i] < gc_refs_.after[i])) {
        if (i == running_.victim || ++differ <= mismatch_limit) {
          detection.findings.push_back(difference(heap::SetIndex(i)));
        }
      }
    }
    note_rest(detection, differ, mismatch_limit, "objects whose stored gc_refs differ");
    if (running_.victim) {
      // Where memory explains every visit there is no difference: the arithmetic of the replay says
      // what is wrong with the victim.
      if (Finding finding = explain_victim(*running_.victim);
          finding.unexplained_visits.value_or(0) != 0) {
        detection.findings.push_back(std::move(finding));
      }
    }
    return detection;
  }

private:
  Finding finding_of(heap::SetIndex object) {
    Finding finding;
    finding.kind = FindingKind::gc_refs_mismatch;
    finding.interpreter = running_.interpreter;
    finding.object = explainer_.object(running_.set.objects[object]);
    finding.stored = gc_refs_.stored[object];
    finding.gc_refs = gc_refs_.before[object];
    finding.visits = static_cast<std::uint64_t>(
        static_cast<std::int64_t>(running_.set.refcounts[object]) - gc_refs_.before[object]);
    return finding;
  }

  Finding difference(heap::SetIndex object) {
    Finding finding = finding_of(object);
    finding.severity = Severity::warning;
    finding.message = fmt::format(
        "The collector stored gc_refs {}; recomputed from memory up to the container in progress "
        "it is {}. References to the object were taken or released after update_refs had counted "
        "them.",
        gc_refs_.stored[object], gc_refs_.before[object]);
    return finding;
  }

  /// The module instances that would explain visits which memory does not: those of the container's
  /// own definition when it is a module; when it visits the victim rightly, it was only the one
  /// that found the count used up, and the instances of a definition that was imported several
  /// times are.
  std::vector<Address> explaining_instances(bool visits_victim, std::int64_t lacking) const {
    const auto& by_definition = running_.traversed_modules;
    if (!visits_victim && running_.container_definition) {
      const auto found = by_definition.find(*running_.container_definition);
      return found == by_definition.end() ? std::vector<Address>{} : found->second;
    }
    std::vector<Address> most;
    for (const auto& [definition, instances] : by_definition) {
      if (instances.size() > std::max<std::size_t>(most.size(), 1) &&
          static_cast<std::int64_t>(instances.size()) <= lacking) {
        most = instances;
      }
    }
    return most;
  }

  Finding explain_victim(heap::SetIndex victim) {
    const std::int64_t value = gc_refs_.stored[victim];
    const std::int64_t recomputed = gc_refs_.before[victim];
    const bool visits_victim = gc_refs_.after[victim] != recomputed;
    // The visit that was refused is one; what the stored value lacks against memory are others.
    const std::int64_t lacking =
        std::max<std::int64_t>(recomputed - value, 0) + (visits_victim ? 0 : 1);
    const std::vector<Address> instances = explaining_instances(visits_victim, lacking);
    Finding finding = finding_of(victim);
    const auto unexplained = std::max(static_cast<std::uint64_t>(lacking), instances.size());
    finding.unexplained_visits = unexplained;
    for (const Address instance : instances) {
      finding.visitors.push_back(explainer_.visitor(instance, running_.set.objects[victim], 1));
    }
    std::string by = "a container";
    if (const auto& container = running_.container) {
      by = explainer_.object(running_.set.objects[*container]).summary;
    }
    finding.message = fmt::format(
        "visit_decref was called for this object by {} when its stored gc_refs was {}; recomputed "
        "from memory up to that container it is {}. Memory no longer explains {} visit{}",
        by, value, recomputed, unexplained, unexplained == 1 ? "" : "s");
    if (instances.empty()) {
      finding.message +=
          ": the reference was released after it had been counted, or it never was owned.";
    } else {
      finding.message += fmt::format(
          ": {} module instance{} of one definition, traversed by {}, would: {} what {} visited is "
          "no longer there.",
          instances.size(), instances.size() == 1 ? "" : "s", finding.visitors.front().function,
          instances.size() == 1 ? "it reads a slot that was cleared since, so that"
                                : "they read the same slot, which was cleared since, so that",
          instances.size() == 1 ? "it" : "each");
    }
    return finding;
  }

  const RunningFacts& running_;
  const GcRefsComparison& gc_refs_;
  Explainer& explainer_;
};

} // namespace

Detection detect_gc_refs_mismatch(const Facts& facts, Explainer& explainer) {
  if (!facts.running || !facts.running->gc_refs) {
    return {};
  }
  return MismatchDetector(*facts.running, explainer).run();
}

} // namespace pygc::analysis
