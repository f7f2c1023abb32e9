#include "common/analysis/check/causes.h"

#include "common/analysis/check/parts.h"
#include "common/analysis/facts/facts.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr std::size_t victim_limit = 20; // told of one cause

void add_victim(std::vector<Victim>& victims, Victim added) {
  const auto same = std::ranges::find(victims, added.object.address,
                                      [](const Victim& victim) { return victim.object.address; });
  if (same == victims.end()) {
    victims.push_back(std::move(added));
  } else {
    same->too_many += added.too_many;
  }
}

void add_to(Finding& cause, Finding other) {
  cause.occurrences += other.occurrences;
  // What comes of the worst one is told; its object is that of the finding.
  if (other.severity < cause.severity ||
      (other.severity == cause.severity && other.gc_refs < cause.gc_refs)) {
    cause.severity = other.severity;
    cause.effect = std::move(other.effect);
    cause.object = std::move(other.object);
    cause.gc_refs = other.gc_refs;
    cause.visits = other.visits;
  }
  for (Visitor& visitor : other.visitors) {
    if (cause.visitors.size() < visitor_limit) {
      cause.visitors.push_back(std::move(visitor));
    }
  }
  for (Victim& victim : other.victims) {
    add_victim(cause.victims, std::move(victim));
  }
}

/// What the arithmetic of an object would be without the visits that causes have found: 0 or more
/// when they explain that it is negative.
bool leave_short(const Finding& negative, std::uint64_t too_many) {
  // Of more visitors than that not all were traced.
  return negative.visitors.size() < visitor_limit &&
         negative.gc_refs.value_or(0) + static_cast<std::int64_t>(too_many) < 0;
}

using ObjectOf = std::pair<std::int64_t, Address>; // interpreter, object

/// What findings have in common that are alike: the object's type, and by which functions and
/// fields it is visited.
using Likeness =
    std::tuple<std::int64_t, Cause, std::string, std::set<std::pair<std::string, std::string>>>;

Likeness likeness_of(const Finding& negative, const ObjectView& object) {
  std::set<std::pair<std::string, std::string>> ways;
  for (const Visitor& visitor : negative.visitors) {
    ways.emplace(visitor.function, field_of(visitor.slot_name));
  }
  return {negative.interpreter, negative.cause, object.type, std::move(ways)};
}

/// Of a finding about an object.
Victim as_victim(const Finding& negative) {
  Victim victim = victim_of(negative, static_cast<std::uint64_t>(-negative.gc_refs.value_or(0)));
  victim.visitors = negative.visitors;
  return victim;
}

} // namespace

bool is_cause(const Finding& finding) {
  return finding.kind == FindingKind::unowned_visit || finding.kind == FindingKind::duplicate_visit;
}

std::vector<Finding> fold_causes(std::vector<Finding> findings) {
  std::map<std::tuple<std::int64_t, FindingKind, std::string, std::string>, std::size_t> causes;
  std::vector<Finding> folded;
  for (Finding& finding : findings) {
    if (is_cause(finding) && !finding.function.empty()) {
      const auto [known, first] = causes.try_emplace(
          {finding.interpreter, finding.kind, finding.function, finding.field}, folded.size());
      if (!first) {
        add_to(folded[known->second], std::move(finding));
        continue;
      }
    }
    folded.push_back(std::move(finding));
  }
  return folded;
}

std::vector<Finding> absorb_negatives(std::vector<Finding> findings) {
  std::map<ObjectOf, std::uint64_t> explained; // visits too many
  for (const Finding& finding : findings) {
    for (const Victim& victim : finding.victims) {
      explained[{finding.interpreter, victim.object.address}] += victim.too_many;
    }
  }
  std::map<ObjectOf, const Finding*> absorbed;
  for (const Finding& finding : findings) {
    if (finding.kind != FindingKind::negative_gc_refs || !finding.object) {
      continue;
    }
    const auto cause = explained.find({finding.interpreter, finding.object->address});
    if (cause != explained.end() && !leave_short(finding, cause->second)) {
      absorbed.emplace(cause->first, &finding);
    }
  }
  for (Finding& finding : findings) {
    for (Victim& victim : finding.victims) {
      const auto negative = absorbed.find({finding.interpreter, victim.object.address});
      if (negative != absorbed.end()) {
        victim.visitors = negative->second->visitors;
      }
    }
    std::ranges::stable_sort(finding.victims, {}, &Victim::gc_refs);
    if (finding.victims.size() > victim_limit) {
      finding.further_victims = finding.victims.size() - victim_limit;
      finding.victims.resize(victim_limit);
    }
  }
  std::vector<Finding> left;
  for (const Finding& finding : findings) {
    if (finding.kind != FindingKind::negative_gc_refs || !finding.object ||
        !absorbed.contains({finding.interpreter, finding.object->address})) {
      left.push_back(finding);
    }
  }
  return left;
}

std::vector<Finding> fold_alike(std::vector<Finding> findings) {
  std::map<Likeness, std::size_t> known;
  std::vector<Finding> folded;
  for (Finding& finding : findings) {
    if (finding.kind != FindingKind::negative_gc_refs || !finding.object ||
        finding.visitors.empty()) {
      folded.push_back(std::move(finding));
      continue;
    }
    const auto [at, first] =
        known.try_emplace(likeness_of(finding, *finding.object), folded.size());
    if (first) {
      folded.push_back(std::move(finding));
      continue;
    }
    Finding& told = folded[at->second];
    if (told.victims.empty()) {
      told.victims.push_back(as_victim(told));
    }
    told.occurrences += 1;
    if (told.victims.size() < victim_limit) {
      told.victims.push_back(as_victim(finding));
    } else {
      told.further_victims += 1;
    }
  }
  return folded;
}

} // namespace pygc::analysis
