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

/// For the handler of SIGSEGV, before the lock-in: reads what lies around the address. False: it is
/// not of such a region, or was there: the access itself is wrong.
bool fetch(std::uint64_t address);

/// Before the lock-in: what was not fetched is mapped as it is in
/// the file, copy on write. Returns how many regions that failed for.
std::uint64_t finish_fetches();

} // namespace pygc::replayer
