// Visits to what is no live object any more: a reference that was given up while it was still held.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/base/slot_address.h"
#include "common/heap/collected_set.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

/// Who visits one dead object.
struct DanglingVisit {
  std::int64_t interpreter = 0; // id
  Address object = 0;
  bool wild = false; // the process has no memory there
  std::string state; // what is there now: "its reference count is 0"
  struct By {
    Address container = 0;
    std::uint64_t visits = 0;
    SlotAddress slot; // where the pointer was loaded from
  };
  std::vector<By> by;
};

/// Visited objects whose GC head says that they are on a list, and that are on none.
struct LostObjects {
  std::int64_t interpreter = 0; // id
  Address first = 0;
  Address container = 0; // that visits the first one
  std::uint64_t count = 0;
};

struct VisitedFacts {
  std::vector<DanglingVisit> dangling;
  LostObjects lost;
};

/// What the objects of the set visit, each looked at. What is on a list of the collector, and what
/// memory is missing of, is left out: that is told elsewhere. Errors: replayer, cancelled, limit.
Result<VisitedFacts> find_dangling(const CheckInput& input, std::int64_t interpreter,
                                   const heap::CollectedSet& set,
                                   std::span<const replay::Incident> incidents);

} // namespace pygc::analysis
