#include "common/analysis/check/diagnosis.h"

#include "common/analysis/check/advice.h"
#include "common/analysis/check/causes.h"
#include "common/base/numbers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

/// One way in which a finding explains another one about the same object of the same interpreter.
using Rule = bool (*)(const Finding& told, const Finding& other);

/// What was found about the victim of a collection says why its stored gc_refs differs.
bool victim_explains_difference(const Finding& told, const Finding& other) {
  return told.kind == FindingKind::gc_refs_mismatch &&
         other.kind == FindingKind::gc_refs_mismatch && told.unexplained_visits &&
         !other.unexplained_visits;
}

constexpr std::array<Rule, 1> rules = {victim_explains_difference};

/// "20 of its visitors belong to the extension a.so: a_traverse is to be looked at first."
std::string sentence_about(const Suspect& suspect) {
  return fmt::format("{} of its visitors {} to the extension {}: {} is to be looked at first.",
                     suspect.visitors, suspect.visitors == 1 ? "belongs" : "belong",
                     suspect.library.substr(suspect.library.rfind('/') + 1), suspect.function);
}

/// The sentence that a proof adds to what a negative_gc_refs says.
std::string conclusion(Proof proof, const Finding& finding) {
  switch (proof) {
  case Proof::none:
    return finding.suspect ? " " + sentence_about(*finding.suspect) : std::string{};
  case Proof::foreign_slot:
    return " A visited slot belongs to another owner than its container, but that does not account "
           "for all of it.";
  case Proof::duplicate_slot:
    return " One slot is visited more than once, but that does not account for all of it.";
  case Proof::own_slots:
    break;
  }
  const std::uint64_t visits = finding.visits.value_or(0);
  return fmt::format(
      " It is under-counted: each visit comes from a slot of its own, in memory of its own "
      "container, and {} slots are more than {}. One of them holds a pointer that is "
      "not counted: borrowed and visited all the same, or its reference was released without "
      "being owned.{}",
      visits,
      counted(static_cast<std::uint64_t>(static_cast<std::int64_t>(visits) +
                                         finding.gc_refs.value_or(0)),
              "reference"),
      conclusion(Proof::none, finding));
}

void judge(const Facts& facts, Finding& finding) {
  const Proof proof = prove(facts, finding);
  finding.cause = cause_of(proof);
  finding.message += conclusion(proof, finding);
}

std::vector<Finding> merge(std::vector<Finding> findings) {
  std::map<std::pair<std::int64_t, Address>, std::vector<std::size_t>> by_object;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (const auto& object = findings[i].object) {
      by_object[{findings[i].interpreter, object->address}].push_back(i);
    }
  }
  std::vector<bool> explained(findings.size(), false);
  for (const auto& [object, about] : by_object) {
    for (const std::size_t i : about) {
      explained[i] = std::ranges::any_of(about, [&](std::size_t other) {
        return other != i && explains(findings[other], findings[i]);
      });
    }
  }
  std::vector<Finding> merged;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (!explained[i]) {
      merged.push_back(std::move(findings[i]));
    }
  }
  return merged;
}

/// A traversal that ended at a dead object is told by who holds that object.
void drop_ends_of_dangling(std::vector<Finding>& findings) {
  std::set<Address> holders;
  for (const Finding& finding : findings) {
    if (finding.kind == FindingKind::dangling_reference) {
      for (const Visitor& visitor : finding.visitors) {
        holders.insert(visitor.container);
      }
    }
  }
  std::erase_if(findings, [&](const Finding& finding) {
    return (finding.kind == FindingKind::traverse_fault ||
            finding.kind == FindingKind::traverse_syscall ||
            finding.kind == FindingKind::traverse_assertion) &&
           finding.occurrences == 1 && finding.object && holders.contains(finding.object->address);
  });
}

/// A dead type is told by its instances; who else holds it is told with them.
void merge_dead_types(std::vector<Finding>& findings) {
  std::map<std::pair<std::int64_t, Address>, std::size_t> types; // told by their instances
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].kind == FindingKind::object_corrupt && findings[i].occurrences > 1) {
      types.emplace(std::pair(findings[i].interpreter, findings[i].address.value_or(0)), i);
    }
  }
  for (const Finding& finding : findings) {
    const auto of_type = finding.kind == FindingKind::dangling_reference
                             ? types.find({finding.interpreter, finding.address.value_or(0)})
                             : types.end();
    if (of_type != types.end()) {
      findings[of_type->second].visitors = finding.visitors;
    }
  }
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.kind == FindingKind::dangling_reference &&
           types.contains({finding.interpreter, finding.address.value_or(0)});
  });
}

/// Objects that no list leads to any more are told with the break of a list, or with the crash that
/// came of it.
void merge_lost_objects(std::vector<Finding>& findings) {
  std::map<std::int64_t, std::size_t> broken; // by interpreter, the first that tells of a break
  for (const FindingKind kind : {FindingKind::list_corrupt, FindingKind::crash}) {
    for (std::size_t i = 0; i < findings.size(); ++i) {
      if (findings[i].kind == kind && findings[i].severity == Severity::error) {
        broken.emplace(findings[i].interpreter, i);
      }
    }
  }
  const auto is_merged = [&](const Finding& finding) {
    return finding.kind == FindingKind::lost_object && broken.contains(finding.interpreter);
  };
  for (const Finding& lost : findings) {
    if (is_merged(lost)) {
      Finding& told = findings[broken[lost.interpreter]];
      told.message += fmt::format(" {} tracked object{} on no list any more; the first is {}.",
                                  lost.occurrences, lost.occurrences == 1 ? " is" : "s are",
                                  lost.object ? lost.object->summary : "unknown");
    }
  }
  std::erase_if(findings, is_merged);
}

} // namespace

Cause cause_of(Proof proof) {
  switch (proof) {
  case Proof::none:
    return Cause::unknown;
  case Proof::foreign_slot:
  case Proof::duplicate_slot:
    return Cause::over_visited;
  case Proof::own_slots:
    return Cause::under_counted;
  }
  return Cause::unknown;
}

Proof prove(const Facts& facts, const Finding& finding) {
  const auto collection =
      std::ranges::find(facts.collections, finding.interpreter, &CollectionFacts::interpreter);
  const TraceFacts* traced = nullptr;
  if (collection != facts.collections.end()) {
    if (const auto& trace = collection->trace) {
      traced = &*trace;
    }
  }
  const Address object = finding.object ? finding.object->address : 0;
  if (object == 0 || traced == nullptr) {
    return Proof::none;
  }
  if (std::ranges::find(traced->foreign_slots, object, &ForeignSlot::object) !=
      traced->foreign_slots.end()) {
    return Proof::foreign_slot;
  }
  if (std::ranges::find(traced->duplicate_slots, object, &DuplicateSlot::object) !=
      traced->duplicate_slots.end()) {
    return Proof::duplicate_slot;
  }
  const bool all_known = std::ranges::all_of(
      finding.visitors, [](const Visitor& visitor) { return visitor.slot.has_value(); });
  return all_known ? Proof::own_slots : Proof::none;
}

bool explains(const Finding& told, const Finding& other) {
  return std::ranges::any_of(rules, [&](Rule rule) { return rule(told, other); });
}

std::vector<Finding> diagnose(const Facts& facts, std::vector<Finding> findings) {
  findings = merge(std::move(findings));
  drop_ends_of_dangling(findings);
  merge_dead_types(findings);
  findings = absorb_negatives(fold_causes(std::move(findings)));
  for (Finding& finding : findings) {
    if (finding.kind == FindingKind::negative_gc_refs) {
      judge(facts, finding);
    } else if (is_cause(finding)) {
      finding.cause = Cause::over_visited;
    }
    advise(finding, facts.truncated);
  }
  findings = fold_alike(std::move(findings));
  // What is wrong with the heap is what the process died of; the report has the crash beside it.
  const bool explained = std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.severity == Severity::error && finding.kind != FindingKind::crash;
  });
  if (explained) {
    std::erase_if(findings,
                  [](const Finding& finding) { return finding.kind == FindingKind::crash; });
  }
  merge_lost_objects(findings);
  std::ranges::stable_sort(findings, {}, &Finding::severity);
  return findings;
}

} // namespace pygc::analysis
