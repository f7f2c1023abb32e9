// Lists of a running collection whose heads are local variables of the collector: young,
// unreachable, finalizers (Python/gc.c, gc_collect_main).
#pragma once

#include "common/cpython/runtime.h"
#include "common/target/target.h"

#include <vector>

namespace pygc::cpython {

/// Looks through the threads' stacks for PyGC_Heads that close a ring of GC objects and appends
/// each to the collecting interpreter's spaces, named "stack". Needs no symbols: a head is
/// taken only when the ring's last node leads back to it, the first one is an object, the head is
/// not, and the ring is no generation's. Nothing is done when no interpreter is collecting. Returns
/// the number of lists found.
std::size_t find_stack_lists(const image::AddressSpace& memory,
                             const std::vector<target::Thread>& threads, Runtime& runtime);

} // namespace pygc::cpython
