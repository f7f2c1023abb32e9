// Garbage that no collection finds, because an object of a type without traverse function holds it.
#pragma once

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/holders.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::analysis {

/// A collected object, and an object outside of the collector's sight that holds it.
struct Hold {
  std::uint32_t node = 0; // of the collection
  Holder holder;
};

/// What would be reachable if the holders' types visited what they hold, and if untracked
/// containers (dicts and tuples of atoms) were tracked. One flag a node; where all that is held is
/// reachable without these, the others' are only lower bounds. Errors: replayer, cancelled, limit.
Result<std::vector<bool>> reached_beside_holders(cpython::ObjectReader& reader,
                                                 const heap::Heap& heap, replay::Replayer& replayer,
                                                 const Collection& collection,
                                                 std::span<const Hold> holds);

} // namespace pygc::analysis
