#include "common/analysis/check/advice.h"
#include "common/analysis/check/parts.h"
#include "common/base/numbers.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

/// The slots through which a container visits an object, each with how often.
struct SlotVisits {
  const SlotVisit* first = nullptr;
  std::uint64_t visits = 0;

  bool is_suspicious() const { return is_foreign(first->owner) || visits > 1; }
};
using Slots = std::map<std::pair<Address, Address>, std::vector<SlotVisits>>; // by both

/// Of each negative object; suspicious slots come first.
Slots slots_of(const CollectionFacts& collection) {
  Slots slots;
  if (!collection.trace) {
    return slots;
  }
  std::set<Address> negatives;
  for (const NegativeObject& negative : collection.negatives) {
    negatives.insert(collection.set.objects[negative.object]);
  }
  const SlotSurvey& survey = collection.trace->survey;
  for (const SlotVisit& visit : survey.visits) {
    const bool by_type = survey.requests[visit.request].function == 0;
    if (!by_type || !visit.counted || !visit.slot.is_known() || !negatives.contains(visit.object)) {
      continue;
    }
    std::vector<SlotVisits>& all = slots[{survey.container(visit), visit.object}];
    const auto known = std::ranges::find_if(
        all, [&](const SlotVisits& each) { return each.first->slot == visit.slot; });
    if (known == all.end()) {
      all.push_back({.first = &visit, .visits = 1});
    } else {
      ++known->visits;
    }
  }
  for (auto& [visited, all] : slots) {
    std::ranges::stable_partition(all, &SlotVisits::is_suspicious);
  }
  return slots;
}

Finding finding_of(const CollectionFacts& collection, const NegativeObject& negative,
                   const Slots& slots, Explainer& explainer) {
  Finding finding =
      object_finding(FindingKind::negative_gc_refs, collection, negative.object, explainer);
  const Address object = collection.set.objects[negative.object];
  for (const replay::Decrement& decrement : negative.told()) {
    const Address container = collection.set.objects[heap::SetIndex(decrement.container)];
    Visitor visitor = explainer.visitor(container, object, decrement.visits);
    if (const auto found = slots.find({container, object}); found != slots.end()) {
      for (const SlotVisits& each : found->second) {
        explainer.attach_slot(visitor, each.first->slot, each.visits);
      }
    }
    finding.visitors.push_back(std::move(visitor));
  }
  const std::int64_t gc_refs = collection.gc_refs(negative.object);
  const std::size_t containers = negative.decrements.size();
  const std::uint64_t references = collection.set.refcounts[negative.object];
  finding.message = fmt::format(
      "{} {} this object {} times, but only {} to it {}: at least {} of the visits {} to a "
      "reference that its container does not own.",
      counted(containers, "container"), containers == 1 ? "visits" : "visit",
      collection.visits(negative.object), counted(references, "reference"),
      references == 1 ? "exists" : "exist", -gc_refs, gc_refs == -1 ? "is" : "are");
  finding.effect = effect_of(gc_refs, true, explainer.is_debug_build());
  finding.suspect = suspect_of(finding.visitors);
  return finding;
}

/// Containers whose traversals did not come to their end, which is told: some visit over and over.
std::set<std::uint32_t> unfinished_containers(const CollectionFacts& collection) {
  std::set<std::uint32_t> unfinished;
  for (const replay::Incident& incident : collection.replayed.incidents) {
    if (replay::ends_traversal(incident.outcome)) {
      unfinished.insert(incident.container);
    }
  }
  return unfinished;
}

/// Whether what is too many comes of these.
bool is_of_unfinished(const CollectionFacts& collection, const NegativeObject& negative,
                      const std::set<std::uint32_t>& unfinished) {
  if (negative.decrements.empty()) { // more visits than can be told apart
    return !unfinished.empty();
  }
  std::int64_t surplus = 0;
  for (const replay::Decrement& decrement : negative.decrements) {
    surplus += unfinished.contains(decrement.container) ? decrement.visits : 0;
  }
  return collection.gc_refs(negative.object) + surplus >= 0;
}

/// An object without references is told as what it is.
bool is_told_dead(const Facts& facts, Address object) {
  return std::ranges::find(facts.dangling, object, &DanglingVisit::object) != facts.dangling.end();
}

} // namespace

Detection detect_negative_gc_refs(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    const Slots slots = slots_of(collection);
    const std::set<std::uint32_t> unfinished = unfinished_containers(collection);
    for (const NegativeObject& negative : collection.negatives) {
      if (!is_of_unfinished(collection, negative, unfinished) &&
          !is_told_dead(facts, collection.set.objects[negative.object])) {
        detection.findings.push_back(finding_of(collection, negative, slots, explainer));
      }
    }
    note_rest(detection, collection.further_negatives, 0, "objects with negative gc_refs");
  }
  return detection;
}

} // namespace pygc::analysis
