// Walks a thread's stack with the unwind tables of the images.
#pragma once

#include "common/image/address_space.h"
#include "common/image/module.h"
#include "common/image/process/elf_module.h"
#include "common/target/target.h"

#include <functional>
#include <vector>

namespace pygc::image {

/// Innermost frame first. Errors: no_debug_info when no image has unwind
/// tables for the thread's pc.
Result<std::vector<Frame>> unwind_thread(const AddressSpace& memory,
                                         const std::function<const ElfModule*(Address)>& module_at,
                                         const target::Thread& thread, std::size_t limit,
                                         FrameDetail detail);

} // namespace pygc::image
