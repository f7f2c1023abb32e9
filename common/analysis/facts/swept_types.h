// The types that a sweep has met with.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/replay/sweep.h"

#include <algorithm>

namespace pygc::analysis {

/// Whether each is one: the replayer has taken the objects' word for it.
inline bool are_types(cpython::ObjectReader& reader, const replay::SweptLists& lists) {
  return std::ranges::all_of(lists.types,
                             [&](Address type) { return reader.type(type).problem.empty(); });
}

} // namespace pygc::analysis
