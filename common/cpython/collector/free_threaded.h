// The collector of builds without a GIL (Python/gc_free_threading.c): no generations and no lists.
// It stops all threads, and takes each object that the allocator's heaps hold and that says it is
// tracked; gc_refs stands in ob_tid meanwhile.
#pragma once

#include "common/cpython/collector/collector.h"

namespace pygc::cpython {

const Collector& free_threaded_collector();

} // namespace pygc::cpython
