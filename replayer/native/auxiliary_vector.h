// What the kernel tells a process at its start: it is told nothing later, having no C library. The
// page size is to be had as everywhere else (common/machine/page.h).
#pragma once

#include <cstdint>

namespace pygc::replayer {

/// To be called first of all.
void read_auxiliary_vector(const std::uint64_t* initial_stack);

/// Where the kernel put the vdso; 0 when there is none.
std::uint64_t vdso_address();

} // namespace pygc::replayer
