#include "common/cpython/collector/collector.h"

#include "common/cpython/collector/free_threaded.h"
#include "common/cpython/collector/generations.h"

namespace pygc::cpython {

const Collector& collector_of(const Layout& layout) {
  return layout.free_threaded ? free_threaded_collector() : generations();
}

} // namespace pygc::cpython
