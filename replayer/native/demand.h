// Memory that the analysis brings when it is touched.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replayer {

/// The region is mapped without permissions; ascending. False: too many.
bool add_demand(const replay::protocol::RegionRecord& region);

bool has_demand();

/// For the handler of SIGSEGV: asks for what lies at the address and makes it accessible. False:
/// it does not come on demand, cannot be had, or was there: the access itself is wrong.
bool bring(std::uint64_t address);

} // namespace pygc::replayer
