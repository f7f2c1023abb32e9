// The image as packets for the replayer.
#pragma once

#include "common/image/address_space.h"
#include "common/image/module.h"
#include "common/replay/protocol/replayer_protocol.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pygc::replay {

struct RegionPacket {
  std::vector<std::byte> bytes; // protocol::Map and its records
  std::vector<int> files;       // owned by the AddressSpace
};

/// How the replayer comes by what it is going to write to.
enum class Writable : std::uint8_t {
  whole,   // reads large regions at once
  fetched, // reads where a walk comes
};

/// In ascending order of address. Left out: missing regions, those that nobody may access, and
/// kernel addresses (vsyscall). Where only what a walk comes to is read, also beginnings of regions
/// that are `idle` and would have to be read to be there: who touches them after all faults.
std::vector<RegionPacket> image_packets(const image::AddressSpace& memory, Writable writable,
                                        std::span<const image::Range> idle);

} // namespace pygc::replay
