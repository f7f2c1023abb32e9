// Which parts of a large region a replayer has to read.
#pragma once

#include "common/image/address_space.h"
#include "common/image/module.h"

#include <vector>

namespace pygc::replay {

/// Of a saved region, in ascending order: what may hold anything but zeros, in whole pages. Nothing
/// was ever written to the rest: there its file has holes or, where that is our own memory, no
/// pages.
std::vector<image::Range> written_memory(const image::Region& region);

} // namespace pygc::replay
