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

/// One flag a node: garbage that stays however often the collector runs. It would be unreachable if
/// the holders' types visited what they hold, and untracked containers (dicts and tuples of atoms)
/// were tracked; and no holder of it is freed with what a collection finds, as the code of a
/// function is that is in a cycle itself. Errors: replayer, cancelled, limit.
Result<std::vector<bool>> find_held_garbage(cpython::ObjectReader& reader, const heap::Heap& heap,
                                            replay::Replayer& replayer,
                                            const Collection& collection,
                                            std::span<const Hold> holds);

} // namespace pygc::analysis
