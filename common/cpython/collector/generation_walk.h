// The lists of a collector's generations, walked with care: they may be damaged anywhere.
#pragma once

#include "common/cpython/collector/heap_source.h"

#include <memory>

namespace pygc::cpython {

/// A list that breaks is walked on from its other end. Both must outlive what is returned.
std::unique_ptr<HeapSource> walk_generations(const image::AddressSpace& memory,
                                             const Layout& layout);

} // namespace pygc::cpython
