// What a collection would find reachable, as move_unreachable does (Python/gc.c,
// Modules/gcmodule.c).
#pragma once

#include "common/analysis/collected_set.h"
#include "common/base/error.h"
#include "common/replay/replay.h"

#include <span>
#include <vector>

namespace pygc::analysis {

/// One flag an object of the set: true when it has a gc_refs other than 0 or is visited from an
/// object that is reachable. Errors: replayer, cancelled, limit.
Result<std::vector<bool>> find_reachable(replay::Replayer& replayer, const CollectedSet& set,
                                         const replay::RoundResult& result);

/// The same for a few objects (indices into the set), in their order: asks who visits them, and who
/// visits those, instead of listing all visits. `stale` as for Round::clear_collecting.
Result<std::vector<bool>> are_reachable(replay::Replayer& replayer, const CollectedSet& set,
                                        const replay::RoundResult& result,
                                        std::span<const Address> stale,
                                        std::span<const std::uint32_t> objects);

} // namespace pygc::analysis
