#include "common/analysis/provenance.h"

#include "common/analysis/ownership.h"
#include "common/analysis/reachability.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <unordered_map>

namespace pygc::analysis {
namespace {

constexpr std::size_t sample_size = 25;        // traced instances of each type
constexpr std::size_t request_limit = 200'000; // traces of one check
constexpr std::size_t findings_limit = 100;

/// One visit through a slot that its container does not own.
struct ForeignVisit {
  Address container = 0;
  Owner owner = Owner::unknown;
};

/// All of them through one slot.
struct ForeignSlot {
  Address object = 0;
  std::vector<ForeignVisit> visits;
};

class Provenance {
public:
  Provenance(const CheckInput& input, Explainer& explainer, const CollectedSet& set,
             const replay::RoundResult& result, CheckReport& report)
      : input_(input), explainer_(explainer), set_(set), result_(result), report_(report),
        ownership_(input.image, input.reader) {}

  Result<void> run() {
    choose_requests();
    const auto trace = input_.tracer->trace(requests_);
    if (!trace) {
      return std::unexpected(trace.error());
    }
    for (const replay::TracedVisit& visit : trace->visits) {
      if (visit.counted && visit.request < requests_.size()) {
        sort_visit(requests_[visit.request].container, visit);
      }
    }
    attach_slots();
    tell_unsupported(trace->incidents);
    if (foreign_.empty()) {
      return {};
    }
    return tell_foreign();
  }

private:
  void request(Address container, Address function) {
    if (requests_.size() < request_limit && requested_.insert(container).second) {
      requests_.push_back({container, function});
    }
  }

  void choose_requests() {
    for (const Finding& finding : report_.findings) {
      for (const Visitor& visitor : finding.visitors) {
        request(visitor.container, 0);
      }
    }
    std::unordered_map<Address, std::size_t> traced;
    for (std::size_t i = 0; i < set_.objects.size(); ++i) {
      const Address type = input_.heap.types[set_.heap_index[i]];
      const bool module = input_.reader.is_instance(type, "PyModule_Type");
      if (module || ++traced[type] <= sample_size) {
        request(set_.objects[i], 0);
      }
    }
  }

  void sort_visit(Address container, const replay::TracedVisit& visit) {
    slots_.emplace(std::pair(container, visit.object), visit.slot);
    const Owner owner = ownership_.owner(container, visit.slot);
    if (!Ownership::is_foreign(owner)) {
      return;
    }
    ForeignSlot& slot = foreign_[visit.slot];
    slot.object = visit.object;
    slot.visits.push_back({container, owner});
  }

  void attach_slot(Visitor& visitor, Address slot) {
    visitor.slot = slot;
    visitor.slot_name = ownership_.slot_name(visitor.container, slot);
    visitor.owner = owner_name(ownership_.owner(visitor.container, slot));
  }

  void attach_slots() {
    for (Finding& finding : report_.findings) {
      for (Visitor& visitor : finding.visitors) {
        const auto slot = slots_.find(std::pair(visitor.container, finding.object->address));
        if (slot != slots_.end() && slot->second != 0) {
          attach_slot(visitor, slot->second);
        }
      }
      if (finding.kind == FindingKind::negative_gc_refs) {
        finding.message += over_or_under(finding);
      }
    }
  }

  /// Over-visited, or under-counted? As far as the slots prove it.
  static std::string over_or_under(const Finding& finding) {
    std::set<Address> slots;
    for (const Visitor& visitor : finding.visitors) {
      if (visitor.owner == "runtime" || visitor.owner == "interpreter" ||
          visitor.owner == "static") {
        return " It is over-visited: a visited slot belongs to another owner than its container.";
      }
      if (visitor.slot && !slots.insert(*visitor.slot).second) {
        return " It is over-visited: two containers visit one slot.";
      }
      if (!visitor.slot) {
        return {};
      }
    }
    return " Each visit comes from a slot of its own container: a reference was probably released "
           "without being owned (under-counted).";
  }

  std::optional<std::uint32_t> index_of(Address object) {
    if (index_.empty()) {
      for (std::size_t i = 0; i < set_.objects.size(); ++i) {
        index_.emplace(set_.objects[i], static_cast<std::uint32_t>(i));
      }
    }
    const auto found = index_.find(object);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }

  /// A module with global state that cannot have a second instance is right to visit its globals.
  bool is_single_global_module(Address container) {
    if (!input_.reader.is_module(container)) {
      return false;
    }
    const auto module = input_.reader.module(container);
    return module && module->state_size < 0 && module->slots == 0;
  }

  Result<void> tell_foreign() {
    const auto reachable = find_reachable(input_.replayer, set_, result_);
    if (!reachable) {
      return std::unexpected(reachable.error());
    }
    std::size_t told = 0;
    for (const auto& [slot, foreign] : foreign_) {
      const auto victim = index_of(foreign.object);
      if (!victim) {
        continue; // not collected: the visit does not count
      }
      if (++told <= findings_limit) {
        tell_slot(slot, foreign, *victim, (*reachable)[*victim]);
      }
    }
    if (told > findings_limit) {
      report_.notes.push_back(fmt::format(
          "{} further slots visited without ownership are not listed", told - findings_limit));
    }
    return {};
  }

  void tell_slot(Address slot, const ForeignSlot& foreign, std::uint32_t victim, bool reachable) {
    Finding finding;
    finding.kind = FindingKind::unowned_visit;
    finding.object = explainer_.object(foreign.object);
    const std::int64_t gc_refs = result_.gc_refs[victim];
    finding.gc_refs = gc_refs;
    finding.visits =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(set_.refcounts[victim]) - gc_refs);
    bool single = true;
    for (const ForeignVisit& visit : foreign.visits) {
      Visitor visitor = explainer_.visitor(visit.container, foreign.object, 1);
      attach_slot(visitor, slot);
      finding.function = visitor.function;
      finding.visitors.push_back(std::move(visitor));
      single = single && is_single_global_module(visit.container);
    }
    const std::size_t count = foreign.visits.size();
    const Visitor& first = finding.visitors.front();
    finding.message = fmt::format(
        "{} visits {}, {}, which the {} container{} that visit{} it {} not own. ", first.function,
        first.slot_name.empty() ? fmt::format("the slot {:#x}", slot) : first.slot_name,
        first.owner == "static" ? "a static variable" : "a field of the " + first.owner, count,
        count == 1 ? "" : "s", count == 1 ? "s" : "", count == 1 ? "does" : "do");
    if (gc_refs < 0 || (gc_refs == 0 && count > 1)) {
      finding.message += fmt::format(
          "{} visits stand against one reference: gc_refs {} is too small.", count, gc_refs);
    } else if (!reachable) {
      finding.message += "The collector takes the object for garbage and will clear it, though the "
                         "owner still keeps its reference.";
    } else if (single && count == 1) {
      finding.severity = Severity::note;
      finding.message +=
          "The module has global state and a single instance: as long as there is only "
          "one and it lives, nothing goes wrong.";
    } else {
      finding.severity = Severity::warning;
      finding.message += fmt::format("Nothing is wrong yet: one more instance would make gc_refs "
                                     "{} - 1 = {}. If this one became "
                                     "garbage, its visit would still be subtracted (gc_refs {}), "
                                     "and only what else refers to the "
                                     "object would keep the collector from clearing it.",
                                     gc_refs, gc_refs - 1, gc_refs);
    }
    report_.findings.push_back(std::move(finding));
  }

  void tell_unsupported(const std::vector<replay::Incident>& incidents) {
    std::map<Address, std::uint64_t> missing;
    for (const replay::Incident& incident : incidents) {
      if (incident.outcome == replay::Outcome::unsupported_instruction) {
        ++missing[incident.pc];
      }
    }
    for (const auto& [pc, count] : missing) {
      report_.notes.push_back(
          fmt::format("{} traced traversals need an instruction that the emulator "
                      "lacks, in {}: their slots are not known",
                      count, input_.image.describe_code(pc)));
    }
  }

  const CheckInput& input_;
  Explainer& explainer_;
  const CollectedSet& set_;
  const replay::RoundResult& result_;
  CheckReport& report_;
  Ownership ownership_;
  std::vector<replay::TraceRequest> requests_;
  std::set<Address> requested_;
  std::map<std::pair<Address, Address>, Address> slots_; // (container, visited) -> slot
  std::map<Address, ForeignSlot> foreign_;               // by slot
  std::unordered_map<Address, std::uint32_t> index_;
};

} // namespace

Result<void> trace_provenance(const CheckInput& input, Explainer& explainer,
                              const CollectedSet& set, const replay::RoundResult& result,
                              CheckReport& report) {
  return Provenance(input, explainer, set, result, report).run();
}

} // namespace pygc::analysis
