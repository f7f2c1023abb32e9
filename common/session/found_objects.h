// The objects of a collector without lists, for a sweep.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/replay/found_sweep.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace pygc::session {

/// Of a full collection of the one interpreter of a free-threaded build: up to `sample_size` of
/// each type and all modules are samples. Nothing when anything is not as it ought to be, or a
/// count is not to be had from the object alone, or `cancelled`.
std::optional<replay::FoundObjects> find_objects(cpython::ObjectReader& reader,
                                                 std::uint32_t sample_size,
                                                 const std::function<bool()>& cancelled);

} // namespace pygc::session
