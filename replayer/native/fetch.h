// Memory that a walk reads into huge pages where it comes: written page by page it would cost a
// fault each, and most of a large target is not on any list.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

namespace pygc::replayer {

/// The region is mapped without permissions, and the file `fd` stays open. `in_place`: it is mapped
/// from the file; else what the walk does not come to is read when that is over. False: too many.
bool add_fetch(const replay::protocol::RegionRecord& region, int fd, bool in_place);

/// True when a region needs the descriptor; then it must stay open.
bool keep_for_fetch(int fd);

/// Before a walk that writes nothing: regions that are mapped from the file stay so.
void fetch_in_place(bool yes);

/// What is read at once where it can be, aligned to its size.
inline constexpr std::uint64_t fetched_at_once = std::uint64_t{2} << 20;

/// How often the walk had to wait for memory.
std::uint64_t fetches_waited_for();

/// For the process that reads ahead: reads the chunk that the address is in and puts it in its
/// place whole. False: it is there or on the way, is no whole one of one region, or there is no
/// memory.
bool fetch_ahead(std::uint64_t address);

/// For the handler of SIGSEGV, before the lock-in: reads what lies around the address. False: it is
/// not of such a region, or was there: the access itself is wrong.
bool fetch(std::uint64_t address);

/// Before the lock-in: what was not fetched is mapped as it is in
/// the file, copy on write. Returns how many regions that failed for.
std::uint64_t finish_fetches();

} // namespace pygc::replayer
