// A collection that was running when the target stopped: what it stored, and what it should have
// stored.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/base/error.h"
#include "common/cpython/collector/phase.h"
#include "common/heap/collected_set.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

/// gc_refs around the container whose traverse function was running, one an object of the set.
struct GcRefsComparison {
  std::vector<std::int64_t> stored; // as the collector left it
  std::vector<bool> collecting;     // false: the object is not being collected, `stored` is nothing
  std::vector<std::int64_t> before; // recomputed up to that container, without it
  std::vector<std::int64_t> after;  // and with it
};

struct RunningFacts {
  std::int64_t interpreter = 0; // id
  std::string generation;       // name; empty when unknown
  bool unwound = false;         // a thread's stack leads to the collection; else nothing below
  cpython::Phase phase = cpython::Phase::unknown;
  heap::CollectedSet set;                  // the list at work on
  std::optional<heap::SetIndex> container; // whose traverse function was running
  std::optional<heap::SetIndex> victim;    // the object of the failed assertion
  std::optional<GcRefsComparison> gc_refs; // only in subtract_refs, with a container
  /// With a victim: the modules up to the container whose m_traverse was called, by definition.
  std::map<Address, std::vector<Address>> traversed_modules;
  /// With a victim: of the container, 0 when it has none; nothing when it is no module.
  std::optional<Address> container_definition;
};

/// Nothing when no collection was running. `stale` as for Round::clear_collecting. Errors:
/// cancelled, replayer.
Result<std::optional<RunningFacts>> gather_running(const CheckInput& input,
                                                   std::span<const Address> stale);

} // namespace pygc::analysis
