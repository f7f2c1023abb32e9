// What subtract_refs does to one collection's objects, container by container, by replaying it.
#pragma once

#include "common/base/error.h"
#include "common/heap/collected_set.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::analysis {

/// Containers and objects are indices into the set.
class SubtractReplay {
public:
  /// `stale` as stale_collecting() gives it.
  SubtractReplay(replay::Replayer& replayer, const heap::CollectedSet& set,
                 std::span<const Address> stale)
      : replayer_(replayer), set_(set), stale_(stale) {}

  /// gc_refs of each object when the first `count` containers have been traversed. Errors: as
  /// replay::Replayer::run.
  Result<std::vector<std::int64_t>> gc_refs_after(std::uint32_t count);
  /// How often a container's traversal decrements each object.
  Result<std::vector<std::int64_t>> decrements_by(std::uint32_t container);
  /// The decrements of some objects, in order of traversal.
  Result<std::vector<replay::Decrement>> decrements_of(std::span<const std::uint32_t> objects);
  /// The objects that a container's traversal decrements, in order of visiting. Exact but where
  /// one traversal visits an object both as its own and as borrowed (frames of 3.14+): then the
  /// first visits are taken to count.
  Result<std::vector<std::uint32_t>> visits_by(std::uint32_t container);
  /// How many calls of the visitor a container's traversal makes up to the `count`th one for an
  /// object (from 1); 0 when it makes fewer.
  Result<std::uint64_t> calls_until(std::uint32_t container, std::uint32_t object,
                                    std::uint64_t count);

private:
  Result<replay::RoundResult> run(std::size_t first, std::size_t count,
                                  std::span<const std::uint32_t> watched);

  replay::Replayer& replayer_;
  const heap::CollectedSet& set_;
  std::span<const Address> stale_;
};

} // namespace pygc::analysis
