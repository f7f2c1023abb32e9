// Where the objects of a collector without lists can be, for a sweep.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/replay/found_sweep.h"

#include <functional>
#include <optional>

namespace pygc::session {

/// Of a full collection of the one interpreter of a free-threaded build: the allocator's pages, of
/// whose objects nothing has been read. Nothing when anything is not as it ought to be, when a
/// count is not to be had from its object alone, or `cancelled`.
std::optional<replay::FoundObjects> find_objects(const cpython::ObjectReader& reader,
                                                 const std::function<bool()>& cancelled);

} // namespace pygc::session
