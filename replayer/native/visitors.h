// Visitors of the replayer's own, for when the target's visit_decref is unknown or when every visit
// is to be written down. Called by the target's code with the target's thread pointer.
#pragma once

#include <cstdint>

namespace pygc::replayer {

using Visitor = int (*)(std::uint64_t object, void* argument);

/// Decrements gc_refs of the object if it is a GC object of the round, as visit_decref does.
int visit_decrement(std::uint64_t object, void* argument);
/// Only counts the objects of no list that may be no live ones: see is_suspect().
int visit_inspect(std::uint64_t object, void* argument);
/// Writes the visit down; asks the traversal to end when there is no more room.
int visit_record(std::uint64_t object, void* argument);
/// Writes down the indices of the container and of the object if it is a GC object of the round.
int visit_edge(std::uint64_t object, void* argument);

} // namespace pygc::replayer
