// Which function visits what a container owns.
#pragma once

#include "common/cpython/objects/object_reader.h"

namespace pygc::analysis {

/// m_traverse for what a module's state holds, else the tp_traverse of the container's type.
/// `visited` 0: whatever it is. Address in the target, 0 when unreadable.
Address traverse_function(cpython::ObjectReader& reader, Address container, Address visited);

} // namespace pygc::analysis
