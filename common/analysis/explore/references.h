// Who refers to whom, by running traverse functions: what gc.get_referrers() and gc.get_referents()
// would give.
#pragma once

#include "common/analysis/finding.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

/// All visits of one object by one container.
struct Reference {
  Address from = 0;
  Address to = 0;
  std::uint64_t visits = 0;
  bool operator==(const Reference&) const = default;
};

struct References {
  std::vector<Reference> found;
  std::uint64_t not_traversed = 0; // traversals that did not come to their end
};

/// The tracked objects that visit one of `wanted`, in the collector's order. `wanted` need not be
/// tracked. Runs every traverse function once, a few thousand objects at a time. Errors: replayer,
/// cancelled, limit.
Result<References> find_referrers(replay::Replayer& replayer, const heap::Heap& heap,
                                  std::span<const Address> wanted);

/// What these objects visit, each in the order of its visits. Objects whose type has no traverse
/// function refer to nothing that can be told. Errors likewise.
Result<References> find_referents(replay::Replayer& replayer, cpython::ObjectReader& reader,
                                  std::span<const Address> objects);

} // namespace pygc::analysis
