// Decrements still to come in a collection that is inside subtract_refs, as the replay predicts
// them.
#pragma once

#include "common/analysis/step/subtract_position.h"
#include "common/analysis/step/subtract_replay.h"

#include <cstdint>
#include <optional>

namespace pygc::analysis {

/// One decrement of one object.
struct SubtractGoal {
  std::uint32_t container = 0; // that makes it; an index into the set, as `object`
  std::uint32_t object = 0;
  /// Decrements of the object between now and then.
  std::uint64_t earlier = 0;
  /// gc_refs is 0 before it: a debug build asserts instead of making it.
  bool spent = false;
};

/// The `count`th decrement from now (from 1). Nothing when the collection makes fewer; `left` then
/// holds how many there are. Errors: as replay::Replayer::run.
Result<std::optional<SubtractGoal>> nth_decrement(const heap::CollectedSet& set,
                                                  const SubtractPosition& position,
                                                  SubtractReplay& replay, std::uint64_t count,
                                                  std::uint64_t& left);

/// The decrement that leaves an object this gc_refs. Nothing when it has been made or is not to
/// come.
Result<std::optional<SubtractGoal>> decrement_to(const SubtractPosition& position,
                                                 SubtractReplay& replay, std::uint32_t object,
                                                 std::int64_t gc_refs);

/// The first decrement from now that makes a gc_refs negative. Nothing when there is none.
Result<std::optional<SubtractGoal>> first_negative(const heap::CollectedSet& set,
                                                   const SubtractPosition& position,
                                                   SubtractReplay& replay);

/// What is still to come for one object.
struct ObjectGoals {
  std::optional<SubtractGoal> next;    // the next decrement
  std::optional<SubtractGoal> refused; // the one that finds gc_refs 0
  std::uint64_t all = 0; // decrements in the whole collection, those already made included
};
Result<ObjectGoals> decrements_to_come(const SubtractPosition& position, SubtractReplay& replay,
                                       std::uint32_t object);

} // namespace pygc::analysis
