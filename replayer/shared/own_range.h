// Addresses that no target can have: the replayers' own.
#pragma once

#include "common/machine/machine.h"
#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replayer {

/// So near to our own part of the address space that a field of an object there would lie in it.
constexpr bool is_own(std::uint64_t object) {
  return object + replay::protocol::window_header_size >= replay::protocol::own_start &&
         object < replay::protocol::own_end;
}

/// A region as a process can have one, and none of ours.
constexpr bool can_be_mapped(const replay::protocol::RegionRecord& region) {
  const bool sane = region.start < region.end && region.end <= ::pygc::machine::user_space_end;
  const bool ours =
      region.start < replay::protocol::own_end && region.end > replay::protocol::own_start;
  return sane && !ours;
}

} // namespace pygc::replayer
