// The lists of a collection, walked and verified by the replayer itself, as update_refs goes along
// them: a list whose links agree both ways and which comes back to its head is sound.
#pragma once

#include "common/replay/protocol/found_walk.h"

#include <cstdint>

namespace pygc::replayer {

/// Writes the addresses of the collected objects to protocol::own_nodes, their gc_refs into their
/// heads, and the rest into the window. Returns how many there are. Ends at the first thing that is
/// not as it ought to be: the analysis has a walker that looks closely. Without lists: of the
/// blocks in use that it names, the same.
std::uint64_t walk_lists(const replay::protocol::FoundWalk& walk);

/// What the last walk was asked for.
const replay::protocol::FoundWalk& last_walk();

/// In _gc_prev, in the replayer's memory alone: an object of a walked list that is not collected.
inline constexpr std::uint64_t listed_bit = std::uint64_t{1} << 63;

/// After walk_lists(), of an object that a traverse function visits and that is not being
/// collected: whether it may be no live object, or one that ought to be on a list. The analysis
/// then looks closely; that it is told of a sound one costs time only.
bool is_suspect(std::uint64_t object, std::uint64_t type, bool has_gc_head);

/// After walk_lists(), of an object of one of the walk's types: a tuple that somebody refers to,
/// its maker maybe, of which an item is NULL, or a dict whose values its traversal does not look
/// at. The analysis then looks closely.
bool is_unsound_tuple(std::uint64_t tuple);
bool is_unsound_dict(std::uint64_t dict);

/// Kind::find of run_state.command, and Kind::scan over all its objects.
void find_objects();
void scan_objects();
/// Kind::list, as far as its buffer reaches.
void list_objects();

} // namespace pygc::replayer
