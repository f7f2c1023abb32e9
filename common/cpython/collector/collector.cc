#include "common/cpython/collector/collector.h"

#include "common/cpython/collector/generations.h"

namespace pygc::cpython {

const Collector& collector_of(const Layout& /*layout: every build with a GIL keeps lists*/) {
  return generations();
}

} // namespace pygc::cpython
