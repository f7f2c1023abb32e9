// A second process that shares the replayer's memory and reads what a walk is about to come to, so
// that two processors are at work where there are two.
#pragma once

#include <cstdint>

namespace pygc::replayer {

/// The walk is there now. Nothing is started for a walk that has touched little.
void read_ahead_of(std::uint64_t address);

/// Before the lock-in. When this returns nobody else has to do with the memory.
void end_read_ahead();

} // namespace pygc::replayer
