// Many traversals, traced: from which slot each visit came and who owns that slot.
#pragma once

#include "common/analysis/facts/ownership.h"
#include "common/base/error.h"
#include "common/replay/emulated.h"

#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

namespace pygc::analysis {

struct SlotVisit {
  replay::RequestIndex request; // into SlotSurvey::requests
  Address object = 0;           // what was visited
  SlotAddress slot;
  Owner owner = Owner::unknown;
  bool counted = false;  // gc_refs of the object is decremented, if it is collected
  bool repeated = false; // another visit of this traversal has the slot already
  bool certain = false;  // the pointer was loaded from no other slot that this might be

  /// It counts, and its slot is not the container's own.
  bool is_unowned() const { return counted && is_foreign(owner); }
};

struct SlotSurvey {
  IndexedVector<replay::RequestIndex, replay::TraceRequest> requests;
  std::vector<SlotVisit> visits;           // in order of the requests, each in order of visiting
  std::vector<replay::Incident> incidents; // `container` is an index into requests

  Address container(const SlotVisit& visit) const { return requests[visit.request].container; }
  /// The requests whose traversal did not come to its end.
  std::unordered_set<std::uint32_t> not_completed() const;
};

/// Traces the requests. Where a visited pointer was loaded from a slot that the container does not
/// own and from one that it owns, the visit is taken for that of its own slot. Errors as
/// Tracer::trace.
Result<SlotSurvey> survey_slots(replay::Tracer& tracer, Ownership& ownership,
                                std::vector<replay::TraceRequest> requests,
                                std::span<const Address> watched_functions);

} // namespace pygc::analysis
