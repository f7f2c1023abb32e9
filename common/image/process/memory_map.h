// Puts the target's memory together: what the core saved, what verified files supply, what is
// known to be zero, and for the rest why it is missing.
#pragma once

#include "common/base/error.h"
#include "common/image/address_space.h"
#include "common/image/process/loaded_image.h"
#include "common/target/target.h"

#include <vector>

namespace pygc::image {

/// Fills `memory` and sorts it. `core_fd` holds the saved bytes; descriptors of regions must be
/// owned by `memory` or outlive it. Errors: io, limit.
Result<void> compose_memory(const target::Target& target, const std::vector<LoadedImage>& images,
                            int core_fd, AddressSpace& memory);

} // namespace pygc::image
