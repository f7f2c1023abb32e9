// The target's memory at the target's addresses, copy on write.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replayer {

/// Unmaps all that the kernel put into this process but its own image: initial stack, vdso. From
/// here on nothing but [own_start, own_end) is in the way of the target.
void clear_address_space(std::uint64_t vdso);

/// Maps the window and the stack for the target's code. False: no memory.
bool map_own_areas(int window_fd, std::uint64_t window_size);

/// Why a region could not be mapped as a whole.
enum class MapOutcome : std::uint8_t { mapped, failed, clash };

/// Regions that can be mapped come in ascending order; neighbours may share a page.
MapOutcome map_region(const replay::protocol::RegionRecord& region, int fd);

/// Room for the addresses of so many objects that a walk finds. False: no memory.
bool map_walked(std::uint64_t capacity);

/// The end of the stack for the target's code.
std::uint64_t target_stack_top();

} // namespace pygc::replayer
