#include "common/analysis/provenance.h"

#include "common/analysis/duplicate_visits.h"
#include "common/analysis/ownership.h"
#include "common/analysis/reachability.h"
#include "common/analysis/slot_survey.h"
#include "common/analysis/trace_plan.h"
#include "common/analysis/traverse_effects.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t findings_limit = 100;
constexpr std::size_t visitor_limit = 200; // listed for one slot

/// All visits through one slot that its containers do not own.
struct ForeignSlot {
  Address object = 0;
  std::vector<Address> containers; // one a visit
};

class Provenance {
public:
  Provenance(const CheckInput& input, Explainer& explainer, const CollectedSet& set,
             const replay::RoundResult& result, std::span<const Address> stale, CheckReport& report)
      : input_(input), explainer_(explainer), set_(set), result_(result), stale_(stale),
        report_(report), ownership_(input.image, input.reader) {}

  Result<void> run() {
    auto surveyed =
        survey_slots(*input_.tracer, ownership_, plan_traces(input_, set_, visitors()), {});
    if (!surveyed) {
      return std::unexpected(surveyed.error());
    }
    survey_ = std::move(*surveyed);
    report_.objects.traced += survey_.requests.size();
    for (const SlotVisit& visit : survey_.visits) {
      if (visit.counted && Ownership::is_foreign(visit.owner)) {
        ForeignSlot& slot = foreign_[visit.slot];
        slot.object = visit.object;
        slot.containers.push_back(survey_.container(visit));
      }
    }
    duplicates_ = find_duplicate_slots(survey_);
    index_victims();
    attach_slots();
    if (auto judged = find_reachable_victims(); !judged) {
      return judged;
    }
    tell_foreign();
    tell_duplicates();
    tell_traverse_effects(input_, explainer_, survey_, report_);
    return {};
  }

private:
  /// The containers that the findings so far name.
  std::vector<Address> visitors() const {
    std::vector<Address> containers;
    for (const Finding& finding : report_.findings) {
      for (const Visitor& visitor : finding.visitors) {
        containers.push_back(visitor.container);
      }
    }
    return containers;
  }

  /// Where in the set the objects are that suspicious slots refer to.
  void index_victims() {
    std::unordered_set<Address> wanted;
    for (const auto& [slot, foreign] : foreign_) {
      wanted.insert(foreign.object);
    }
    for (const DuplicateSlot& duplicate : duplicates_) {
      wanted.insert(duplicate.object);
    }
    if (wanted.empty()) {
      return;
    }
    for (std::size_t i = 0; i < set_.objects.size(); ++i) {
      if (wanted.contains(set_.objects[i])) {
        victims_[set_.objects[i]].index = static_cast<std::uint32_t>(i);
      }
    }
  }

  Result<void> find_reachable_victims() {
    if (victims_.empty()) {
      return {};
    }
    const auto reachable = find_reachable(input_.replayer, set_, result_, stale_);
    if (!reachable) {
      return std::unexpected(reachable.error());
    }
    for (auto& [address, victim] : victims_) {
      victim.reachable = (*reachable)[victim.index];
    }
    return {};
  }

  void attach_slot(Visitor& visitor, Address slot) {
    visitor.slot = slot;
    visitor.slot_name = ownership_.slot_name(visitor.container, slot);
    visitor.owner = owner_name(ownership_.owner(visitor.container, slot));
  }

  /// To the visitors of the findings so far: of several slots a suspicious one.
  void attach_slots() {
    std::map<std::pair<Address, Address>, const SlotVisit*> slots; // (container, visited)
    std::set<Address> named;
    for (const Finding& finding : report_.findings) {
      if (finding.object) {
        named.insert(finding.object->address);
      }
    }
    for (const SlotVisit& visit : survey_.visits) {
      if (!visit.counted || visit.slot == 0 || !named.contains(visit.object)) {
        continue;
      }
      const auto [found, fresh] =
          slots.try_emplace(std::pair(survey_.container(visit), visit.object), &visit);
      if (!fresh && (Ownership::is_foreign(visit.owner) || visit.repeated)) {
        found->second = &visit;
      }
    }
    for (Finding& finding : report_.findings) {
      if (!finding.object) {
        continue;
      }
      for (Visitor& visitor : finding.visitors) {
        const auto slot = slots.find(std::pair(visitor.container, finding.object->address));
        if (slot != slots.end() && !visitor.slot) {
          attach_slot(visitor, slot->second->slot);
        }
      }
      if (finding.kind == FindingKind::negative_gc_refs && finding.cause == Cause::unknown) {
        tell_cause(finding.object->address, finding);
      }
    }
  }

  /// Over-visited, or under-counted? As far as the slots prove it.
  void tell_cause(Address object, Finding& finding) const {
    const bool foreign = std::ranges::any_of(
        foreign_, [object](const auto& entry) { return entry.second.object == object; });
    const bool duplicate = std::ranges::any_of(
        duplicates_, [object](const DuplicateSlot& each) { return each.object == object; });
    const bool all_known = std::ranges::all_of(
        finding.visitors, [](const Visitor& visitor) { return visitor.slot.has_value(); });
    if (foreign || duplicate) {
      finding.cause = Cause::over_visited;
      finding.message += foreign
                             ? " It is over-visited: a visited slot belongs to another owner than "
                               "its container."
                             : " It is over-visited: one slot is visited more than once.";
    } else if (all_known) {
      const std::uint64_t visits = finding.visits.value_or(0);
      finding.cause = Cause::under_counted;
      finding.message +=
          fmt::format(" It is under-counted: each visit comes from a slot of its own, in memory of "
                      "its own container, and {} slots are more than {} references. One of them "
                      "holds a pointer that is not counted: borrowed and visited all the same, or "
                      "its reference was released without being owned.",
                      visits, static_cast<std::int64_t>(visits) + finding.gc_refs.value_or(0));
    }
  }

  /// A module with global state that cannot have a second instance is right to visit its globals.
  bool is_single_global_module(Address container) {
    if (!input_.reader.is_module(container)) {
      return false;
    }
    const auto module = input_.reader.module(container);
    return module && module->is_single_with_globals();
  }

  void tell_foreign() {
    std::size_t told = 0;
    for (const auto& [slot, foreign] : foreign_) {
      const auto victim = victims_.find(foreign.object);
      if (victim != victims_.end() && ++told <= findings_limit) { // else the visit does not count
        tell_slot(slot, foreign, victim->second);
      }
    }
    note_rest(told, "slots visited without ownership");
  }

  void note_rest(std::size_t told, std::string_view what) {
    if (told > findings_limit) {
      report_.notes.push_back(
          fmt::format("{} further {} are not listed", told - findings_limit, what));
    }
  }

  struct Victim {
    std::uint32_t index = 0; // in the set
    bool reachable = false;
  };

  Finding finding_of(FindingKind kind, Address object, const Victim& victim) {
    Finding finding;
    finding.kind = kind;
    finding.interpreter = input_.reader.runtime().interpreters[set_.interpreter].id;
    finding.object = explainer_.object(object);
    const std::int64_t gc_refs = result_.gc_refs[victim.index];
    finding.gc_refs = gc_refs;
    finding.visits = static_cast<std::uint64_t>(
        static_cast<std::int64_t>(set_.refcounts[victim.index]) - gc_refs);
    return finding;
  }

  void tell_slot(Address slot, const ForeignSlot& foreign, const Victim& victim) {
    Finding finding = finding_of(FindingKind::unowned_visit, foreign.object, victim);
    const std::int64_t gc_refs = result_.gc_refs[victim.index];
    bool single = true;
    for (const Address container : foreign.containers) {
      single = single && is_single_global_module(container);
      if (finding.visitors.size() == visitor_limit) {
        continue;
      }
      Visitor visitor = explainer_.visitor(container, foreign.object, 1);
      attach_slot(visitor, slot);
      finding.function = visitor.function;
      finding.visitors.push_back(std::move(visitor));
    }
    const std::size_t count = foreign.containers.size();
    const Visitor& first = finding.visitors.front();
    finding.message = fmt::format(
        "{} visits {}, {}, which the {} container{} that visit{} it {} not own. ", first.function,
        first.slot_name.empty() ? fmt::format("the slot {:#x}", slot) : first.slot_name,
        first.owner == "static" ? "a static variable" : "a field of the " + first.owner, count,
        count == 1 ? "" : "s", count == 1 ? "s" : "", count == 1 ? "does" : "do");
    if (gc_refs < 0 || (gc_refs == 0 && count > 1)) {
      finding.message += fmt::format("{} visit{} against one reference: gc_refs {} is too small.",
                                     count, count == 1 ? " stands" : "s stand", gc_refs);
    } else if (!victim.reachable) {
      finding.message +=
          fmt::format("The collector takes the object for garbage (gc_refs {}) and will clear it, "
                      "though the owner still keeps its reference: without the visit gc_refs would "
                      "be {}.",
                      gc_refs, gc_refs + static_cast<std::int64_t>(count));
    } else if (single && count == 1) {
      finding.severity = Severity::note;
      finding.message +=
          "The module has global state and a single instance: as long as there is only "
          "one and it lives, nothing goes wrong.";
    } else {
      finding.severity = Severity::warning;
      finding.message += fmt::format(
          "Nothing is wrong yet: one more instance would make gc_refs {} - 1 = {}. If this one "
          "became garbage, its visit would still be subtracted (gc_refs {}), and only what else "
          "refers to the object would keep the collector from clearing it.",
          gc_refs, gc_refs - 1, gc_refs);
    }
    report_.findings.push_back(std::move(finding));
  }

  void tell_duplicates() {
    std::size_t told = 0;
    for (const DuplicateSlot& duplicate : duplicates_) {
      const auto victim = victims_.find(duplicate.object);
      if (victim != victims_.end() && ++told <= findings_limit) {
        tell_duplicate(duplicate, victim->second);
      }
    }
    note_rest(told, "slots visited more than once");
  }

  void tell_duplicate(const DuplicateSlot& duplicate, const Victim& victim) {
    Finding finding = finding_of(FindingKind::duplicate_visit, duplicate.object, victim);
    const std::int64_t gc_refs = result_.gc_refs[victim.index];
    for (const DuplicateSlot::Container& container : duplicate.containers) {
      if (finding.visitors.size() == visitor_limit) {
        break;
      }
      Visitor visitor = explainer_.visitor(container.address, duplicate.object, container.visits);
      attach_slot(visitor, duplicate.slot);
      finding.function = visitor.function;
      finding.visitors.push_back(std::move(visitor));
    }
    const std::size_t containers = duplicate.containers.size();
    const std::uint64_t visits = duplicate.visits();
    finding.message =
        containers == 1
            ? fmt::format("{} visits one slot {} times: one reference, counted {} times. ",
                          finding.function, visits, visits)
            : fmt::format(
                  "{} containers visit one slot, {} times altogether: one reference, counted "
                  "{} times. ",
                  containers, visits, visits);
    if (gc_refs < 0) {
      finding.message += fmt::format("gc_refs {} is too small.", gc_refs);
    } else if (!victim.reachable) {
      finding.message +=
          fmt::format("The collector takes the object for garbage (gc_refs {}), though something "
                      "outside still refers to it: counted once, gc_refs would be {}.",
                      gc_refs, gc_refs + static_cast<std::int64_t>(visits) - 1);
    } else {
      finding.severity = Severity::warning;
      finding.message += fmt::format(
          "gc_refs is {} instead of {}: as soon as fewer references from outside exist than visits "
          "too many, it becomes negative, or the object is cleared while it is in use.",
          gc_refs, gc_refs + static_cast<std::int64_t>(visits) - 1);
    }
    report_.findings.push_back(std::move(finding));
  }

  const CheckInput& input_;
  Explainer& explainer_;
  const CollectedSet& set_;
  const replay::RoundResult& result_;
  std::span<const Address> stale_;
  CheckReport& report_;
  Ownership ownership_;
  SlotSurvey survey_;
  std::map<Address, ForeignSlot> foreign_; // by slot
  std::vector<DuplicateSlot> duplicates_;
  std::map<Address, Victim> victims_; // by object
};

} // namespace

Result<void> trace_provenance(const CheckInput& input, Explainer& explainer,
                              const CollectedSet& set, const replay::RoundResult& result,
                              std::span<const Address> stale, CheckReport& report) {
  return Provenance(input, explainer, set, result, stale, report).run();
}

} // namespace pygc::analysis
