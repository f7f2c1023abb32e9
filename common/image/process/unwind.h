// Walks a thread's stack with the unwind tables of the images.
#pragma once

#include "common/image/address_space.h"
#include "common/image/module.h"
#include "common/image/process/elf_module.h"
#include "common/target/target.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace pygc::image {

/// Which variables a frame is told with.
enum class Variables : std::uint8_t {
  all,
  held, // that a register or the frame's own memory holds, as DWARF in the image's own file tells
};

/// Innermost frame first. Errors: no_debug_info when no image has unwind
/// tables for the thread's pc.
Result<std::vector<Frame>> unwind_thread(const AddressSpace& memory,
                                         const std::function<const ElfModule*(Address)>& module_at,
                                         const target::Thread& thread, std::size_t limit,
                                         FrameDetail detail, Variables variables = Variables::all);

} // namespace pygc::image
