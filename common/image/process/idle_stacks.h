// The parts of threads' stacks that are not in use.
#pragma once

#include "common/image/address_space.h"
#include "common/image/module.h"
#include "common/target/target.h"

#include <span>
#include <vector>

namespace pygc::image {

/// Below the stack pointer (and what a leaf function may use there) down to the beginning of the
/// mapping, of threads whose mapping ends with the thread's own data, as those of pthread_create
/// do (glibc and musl). In ascending order, whole pages. A stack that shares its mapping with that
/// of another thread is left out.
std::vector<Range> idle_stacks(const AddressSpace& memory, std::span<const target::Thread> threads);

} // namespace pygc::image
