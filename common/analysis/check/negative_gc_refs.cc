#include "common/analysis/check/parts.h"

#include <fmt/format.h>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

using Slots = std::map<std::pair<Address, Address>, const SlotVisit*>; // by container and visited

/// Through which slot each container visits each negative object: of several a suspicious one.
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
    if (!visit.counted || !visit.slot.is_known() || !negatives.contains(visit.object)) {
      continue;
    }
    const auto [found, fresh] =
        slots.try_emplace(std::pair(survey.container(visit), visit.object), &visit);
    if (!fresh && (is_foreign(visit.owner) || visit.repeated)) {
      found->second = &visit;
    }
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
    if (const auto slot = slots.find({container, object}); slot != slots.end()) {
      explainer.attach_slot(visitor, slot->second->slot);
    }
    finding.visitors.push_back(std::move(visitor));
  }
  const std::int64_t gc_refs = collection.gc_refs(negative.object);
  finding.message = fmt::format(
      "{} containers visit this object {} times, but only {} references to it exist: at least {} "
      "of the visits {} to a reference that its container does not own. A debug build will abort "
      "with \"refcount is too small\"; a release build may clear the object while it is in use.",
      negative.decrements.size(), *finding.visits, collection.set.refcounts[negative.object],
      -gc_refs, gc_refs == -1 ? "is" : "are");
  return finding;
}

} // namespace

Detection detect_negative_gc_refs(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const CollectionFacts& collection : facts.collections) {
    const Slots slots = slots_of(collection);
    for (const NegativeObject& negative : collection.negatives) {
      detection.findings.push_back(finding_of(collection, negative, slots, explainer));
    }
    note_rest(detection, collection.further_negatives, 0, "objects with negative gc_refs");
  }
  return detection;
}

} // namespace pygc::analysis
