#include "common/session/visitor_choice.h"

namespace pygc::session {
namespace {

/// A candidate must have made at least this share of the visits that ours made.
constexpr std::uint64_t least_share_percent = 50;

bool behaves(const replay::RoundResult& ours, const replay::RoundResult& candidate) {
  if (candidate.traversed != ours.traversed || !candidate.unknown.empty() ||
      candidate.visits > ours.visits ||
      candidate.visits * 100 < ours.visits * least_share_percent) {
    return false;
  }
  for (std::size_t i = 0; i < ours.gc_refs.size(); ++i) {
    if (candidate.gc_refs[i] < ours.gc_refs[i]) {
      return false;
    }
  }
  return true;
}

} // namespace

Result<Address> choose_visitor(replay::Replayer& replayer, const heap::CollectedSet& set,
                               std::span<const Address> candidates,
                               std::span<const Address> stale) {
  const replay::Round round{
      .objects = set.objects, .refcounts = set.refcounts, .watched = {}, .clear_collecting = stale};
  replayer.use_visitor(0);
  const auto ours = replayer.run(round);
  if (!ours) {
    return std::unexpected(ours.error());
  }
  Address best = 0;
  std::uint64_t fewest = 0;
  for (const Address candidate : candidates) {
    replayer.use_visitor(candidate);
    const auto result = replayer.run(round);
    if (!result) {
      return std::unexpected(result.error());
    }
    if (behaves(*ours, *result) && (best == 0 || result->visits < fewest)) {
      best = candidate;
      fewest = result->visits;
    }
  }
  replayer.use_visitor(best);
  return best;
}

} // namespace pygc::session
