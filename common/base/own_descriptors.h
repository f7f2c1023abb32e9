// The descriptors that this process has open.
#pragma once

#include <vector>

namespace pygc {

/// In no order; that of the listing itself, closed by then, among them. None where /proc is
/// missing.
std::vector<int> own_descriptors();

} // namespace pygc
