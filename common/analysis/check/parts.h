// What findings of several kinds are made of.
#pragma once

#include "common/analysis/check/detectors.h"
#include "common/base/slot_address.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

/// Damage that is told as one.
struct ToldAnomaly {
  const ListAnomaly* first = nullptr;
  std::uint64_t objects = 1; // that share a damaged type
};
/// The damage of that kind, up to a limit.
std::vector<ToldAnomaly> told_anomalies(const Facts& facts, heap::CorruptionKind kind);
/// All of it, told or not.
std::uint64_t count_anomalies(const Facts& facts, heap::CorruptionKind kind);
/// With a message that says what is wrong.
Finding anomaly_finding(FindingKind kind, const ListAnomaly& anomaly, Explainer& explainer);

/// Without a message.
Finding incident_finding(FindingKind kind, const CollectionFacts& collection,
                         const IncidentGroup& group, Explainer& explainer);
/// "The traversal by faulthandler_traverse faults in ..., accessing 0x10"
std::string incident_sentence(const IncidentGroup& group, Explainer& explainer);

/// About an object of the set, with its arithmetic, without a message.
Finding object_finding(FindingKind kind, const CollectionFacts& collection, heap::SetIndex object,
                       Explainer& explainer);
/// A visitor of `object` through `slot`.
Visitor slot_visitor(Explainer& explainer, Address container, Address object, std::uint64_t visits,
                     SlotAddress slot);

/// The object of the finding as its only victim.
Victim victim_of(const Finding& finding, std::uint64_t too_many);
/// What slots of many containers have in common: "['a']" and "[3]" are "[*]".
std::string field_of(std::string_view slot_name);

/// Notes how many of `count` are more than `limit`: "3 further slots are not listed".
void note_rest(Detection& detection, std::uint64_t count, std::uint64_t limit,
               std::string_view what);

} // namespace pygc::analysis
