#include "common/analysis/step/subtract_goal.h"

#include <algorithm>
#include <unordered_map>

namespace pygc::analysis {
namespace {

/// Decrements of `object` by containers, those of the position's container reduced to what it has
/// still to make, without those of earlier ones.
std::vector<replay::Decrement> still_to_come(const SubtractPosition& position, std::uint32_t object,
                                             const std::vector<replay::Decrement>& all) {
  std::vector<replay::Decrement> rest;
  for (replay::Decrement decrement : all) {
    if (decrement.watched != object || decrement.container < position.container) {
      continue;
    }
    if (decrement.container == position.container) {
      const std::int64_t made =
          std::max<std::int64_t>(position.before[object] - position.stored[object], 0);
      decrement.visits -=
          static_cast<std::uint32_t>(std::min<std::int64_t>(made, std::int64_t{decrement.visits}));
    }
    if (decrement.visits != 0) {
      rest.push_back(decrement);
    }
  }
  return rest;
}

/// The decrement that finds gc_refs 0, among those to come.
std::optional<SubtractGoal> refused(const SubtractPosition& position, std::uint32_t object,
                                    const std::vector<replay::Decrement>& to_come) {
  std::int64_t left = position.stored[object];
  for (const replay::Decrement& decrement : to_come) {
    if (left >= 0 && left < std::int64_t{decrement.visits}) {
      return SubtractGoal{.container = decrement.container,
                          .object = object,
                          .earlier = static_cast<std::uint64_t>(position.stored[object]),
                          .spent = true};
    }
    left -= decrement.visits;
  }
  return std::nullopt;
}

/// Whether the container visits `one` for the time that makes it negative before `other`.
Result<bool> comes_first(SubtractReplay& replay, const SubtractGoal& one,
                         const SubtractGoal& other) {
  if (one.container != other.container) {
    return one.container < other.container;
  }
  const auto visits = replay.visits_by(one.container);
  if (!visits) {
    return std::unexpected(visits.error());
  }
  const auto before = replay.gc_refs_after(one.container);
  if (!before) {
    return std::unexpected(before.error());
  }
  std::int64_t left_of_one = (*before)[one.object];
  std::int64_t left_of_other = (*before)[other.object];
  for (const std::uint32_t object : *visits) {
    if (object == one.object && left_of_one-- == 0) {
      return true;
    }
    if (object == other.object && left_of_other-- == 0) {
      return false;
    }
  }
  return true;
}

} // namespace

Result<std::optional<SubtractGoal>> nth_decrement(const heap::CollectedSet& set,
                                                  const SubtractPosition& position,
                                                  SubtractReplay& replay, std::uint64_t count,
                                                  std::uint64_t& left) {
  left = 0;
  std::unordered_map<std::uint32_t, std::uint64_t> seen;
  std::uint64_t skipped = position.inside ? position.visits : 0;
  for (std::uint32_t container = position.container; container < set.objects.size(); ++container) {
    const auto visits = replay.visits_by(container);
    if (!visits) {
      return std::unexpected(visits.error());
    }
    for (const std::uint32_t object : *visits) {
      if (skipped > 0) {
        --skipped;
        continue;
      }
      if (++left == count) {
        const std::uint64_t earlier = seen[object];
        return SubtractGoal{.container = container,
                            .object = object,
                            .earlier = earlier,
                            .spent = position.stored[object] == static_cast<std::int64_t>(earlier)};
      }
      ++seen[object];
    }
  }
  return std::nullopt;
}

Result<std::optional<SubtractGoal>> decrement_to(const SubtractPosition& position,
                                                 SubtractReplay& replay, std::uint32_t object,
                                                 std::int64_t gc_refs) {
  const auto decrements = replay.decrements_of(std::span(&object, 1));
  if (!decrements) {
    return std::unexpected(decrements.error());
  }
  const std::int64_t earlier = position.stored[object] - gc_refs - 1;
  if (earlier < 0) {
    return std::nullopt;
  }
  std::int64_t left = earlier;
  for (const replay::Decrement& decrement : still_to_come(position, object, *decrements)) {
    if (left < std::int64_t{decrement.visits}) {
      return SubtractGoal{.container = decrement.container,
                          .object = object,
                          .earlier = static_cast<std::uint64_t>(earlier),
                          .spent = gc_refs == -1};
    }
    left -= decrement.visits;
  }
  return std::nullopt;
}

Result<std::optional<SubtractGoal>> first_negative(const heap::CollectedSet& set,
                                                   const SubtractPosition& position,
                                                   SubtractReplay& replay) {
  const auto at_end = replay.gc_refs_after(static_cast<std::uint32_t>(set.objects.size()));
  if (!at_end) {
    return std::unexpected(at_end.error());
  }
  std::vector<std::uint32_t> victims;
  for (std::uint32_t i = 0; i < at_end->size(); ++i) {
    if ((*at_end)[i] < 0 && position.stored[i] >= 0 && victims.size() < replay::max_watched) {
      victims.push_back(i);
    }
  }
  if (victims.empty()) {
    return std::nullopt;
  }
  const auto decrements = replay.decrements_of(victims);
  if (!decrements) {
    return std::unexpected(decrements.error());
  }
  std::optional<SubtractGoal> first;
  for (const std::uint32_t victim : victims) {
    const auto goal = refused(position, victim, still_to_come(position, victim, *decrements));
    if (!goal) {
      continue;
    }
    const auto sooner = first ? comes_first(replay, *goal, *first) : Result<bool>(true);
    if (!sooner) {
      return std::unexpected(sooner.error());
    }
    if (*sooner) {
      first = goal;
    }
  }
  return first;
}

Result<ObjectGoals> decrements_to_come(const SubtractPosition& position, SubtractReplay& replay,
                                       std::uint32_t object) {
  const auto decrements = replay.decrements_of(std::span(&object, 1));
  if (!decrements) {
    return std::unexpected(decrements.error());
  }
  ObjectGoals goals;
  for (const replay::Decrement& decrement : *decrements) {
    goals.all += decrement.visits;
  }
  const auto rest = still_to_come(position, object, *decrements);
  if (!rest.empty()) {
    goals.next = SubtractGoal{.container = rest.front().container,
                              .object = object,
                              .earlier = 0,
                              .spent = position.stored[object] == 0};
  }
  goals.refused = refused(position, object, rest);
  return goals;
}

} // namespace pygc::analysis
