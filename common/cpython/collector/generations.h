// The collector of builds with a GIL (Modules/gcmodule.c, Python/gc.c): generations, each a ring of
// PyGC_Heads. The incremental collector of 3.14.0 to 3.14.4 has one young and two old ones.
#pragma once

#include "common/cpython/collector/collector.h"

namespace pygc::cpython {

const Collector& generations();

} // namespace pygc::cpython
