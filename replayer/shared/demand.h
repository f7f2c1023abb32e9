// Memory that the analysis brings when it is touched: the question and its answer.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replayer {

/// For the handler of SIGSEGV: has the analysis bring what lies at the address, of the region
/// [start, end). Null: it cannot be had, or was brought the last time, so that the access itself is
/// wrong. Ends the process when the analysis is gone.
const replay::protocol::Page* bring_page(std::uint64_t address, std::uint64_t start,
                                         std::uint64_t end);

/// Was this asked for the last time, and could not be had?
bool is_known_missing(std::uint64_t address);

} // namespace pygc::replayer
