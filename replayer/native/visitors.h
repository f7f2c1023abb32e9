// Visitors of the replayer's own, for when the target's visit_decref is unknown or when every visit
// is to be written down. Called by the target's code with the target's thread pointer.
#pragma once

#include <cstdint>

namespace pygc::replayer {

using Visitor = int (*)(std::uint64_t object, void* argument);

/// Decrements gc_refs of the object if it is a GC object of the round, as visit_decref does.
int visit_decrement(std::uint64_t object, void* argument);

/// As visit_decrement(), but some visits later, when the memory of the object has come: that takes
/// half the time. A wrong pointer faults in the traversal of another container, or behind the last
/// one. For collections whose lists were walked here: what is wrong there is looked at again.
int visit_soon(std::uint64_t object, void* argument);
/// Before the first traversal with visit_soon(). Without `decrements` it only counts the objects of
/// no list that may be no live ones: see is_suspect().
void start_waiting(bool decrements);
/// Behind the last one.
void settle_waiting();

/// Whether the object is of the round.
bool is_collecting(std::uint64_t object);

/// Writes the visit down; asks the traversal to end when there is no more room.
int visit_record(std::uint64_t object, void* argument);
/// Writes down the indices of the container and of the object if it is a GC object of the round.
int visit_edge(std::uint64_t object, void* argument);

} // namespace pygc::replayer
