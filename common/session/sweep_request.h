// What a sweep needs to know of a target, and whether it can do for it.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/replay/sweep.h"

#include <optional>

namespace pygc::session {

/// Objects of each type that a check traces.
inline constexpr std::uint32_t sample_size = 25;

/// Of a full collection. Nothing for a target that only the walker of the analysis can deal with:
/// several interpreters, a collection under way, memory that comes on demand, an unknown visitor.
/// Without lists the objects are to be found (found_objects.h).
std::optional<replay::SweepRequest> sweep_request(cpython::ObjectReader& reader);

} // namespace pygc::session
