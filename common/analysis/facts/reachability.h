// What a collection would find reachable, as move_unreachable does (Python/gc.c,
// Modules/gcmodule.c).
#pragma once

#include "common/base/error.h"
#include "common/heap/collected_set.h"
#include "common/replay/replay.h"

#include <span>
#include <vector>

namespace pygc::analysis {

/// One flag an object of the set: true when it has a gc_refs other than 0 or is visited from an
/// object that is reachable. `stale` as for Round::clear_collecting. Errors: replayer, cancelled,
/// limit.
Result<std::vector<bool>> find_reachable(replay::Replayer& replayer, const heap::CollectedSet& set,
                                         const replay::RoundResult& result,
                                         std::span<const Address> stale);

} // namespace pygc::analysis
