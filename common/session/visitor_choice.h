// Tells the collector's visit_decref among candidates by what they do.
#pragma once

#include "common/base/error.h"
#include "common/heap/collected_set.h"
#include "common/replay/replay.h"

#include <span>

namespace pygc::session {

/// Replays the set with a visitor of ours, then with each candidate, and leaves the best one in
/// use. visit_decref decrements like ours wherever it is called, and frames (3.14+) skip what they
/// only borrow when it is passed: it never visits more, and the right one visits least. Returns 0
/// when no candidate behaves so. Errors: cancelled, replayer.
Result<Address> choose_visitor(replay::Replayer& replayer, const heap::CollectedSet& set,
                               std::span<const Address> candidates, std::span<const Address> stale);

} // namespace pygc::session
