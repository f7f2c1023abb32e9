// Finds visit_decref in an image without symbols.
//
// From 3.14 on the collector's own visitor must be passed to traverse functions: frames skip the
// references that they only borrow when `visit == visit_decref` (_PyGC_VisitStackRef, Python/gc.c).
#pragma once

#include "common/image/module.h"

#include <vector>

namespace pygc::cpython {

/// Functions that the image's code compares a register with (as _PyGC_VisitStackRef compares
/// `visit`) and that test COLLECTING in the word before an object. The right one is among the first
/// few; which one it is shows when they run. Empty when there is none.
std::vector<Address> visitor_candidates(const image::AddressSpace& memory,
                                        const image::Module& module);

/// Whether the function tests COLLECTING of an object and subtracts one from its gc_refs.
bool looks_like_visit_decref(const image::AddressSpace& memory, Address function);

} // namespace pygc::cpython
