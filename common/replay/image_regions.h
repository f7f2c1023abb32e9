// The image as packets for the replayer.
#pragma once

#include "common/image/address_space.h"
#include "common/replay/protocol/replayer_protocol.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pygc::replay {

struct RegionPacket {
  std::vector<std::byte> bytes; // protocol::Map and its records
  std::vector<int> files;       // owned by the AddressSpace
};

/// In ascending order of address. Left out: missing regions, those that nobody may access, and
/// kernel addresses (vsyscall).
std::vector<RegionPacket> image_packets(const image::AddressSpace& memory);

} // namespace pygc::replay
