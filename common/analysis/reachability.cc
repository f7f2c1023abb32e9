#include "common/analysis/reachability.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

// When more objects than this lie between the asked ones and the first reachable one, listing all
// visits is cheaper.
constexpr std::size_t search_limit = 4 * replay::max_watched;

/// Goes from objects to those that visit them until one is met that has a gc_refs.
class BackwardSearch {
public:
  BackwardSearch(replay::Replayer& replayer, const CollectedSet& set,
                 const replay::RoundResult& result, std::span<const Address> stale)
      : replayer_(replayer), set_(set), result_(result), stale_(stale) {}

  /// False: the limit was reached.
  Result<bool> search(std::span<const std::uint32_t> objects) {
    for (const std::uint32_t object : objects) {
      see(object);
    }
    while (!pending_.empty()) {
      if (seen_.size() > search_limit) {
        return false;
      }
      const std::size_t count = std::min(pending_.size(), replay::max_watched);
      const std::vector<std::uint32_t> watched(pending_.end() - static_cast<std::ptrdiff_t>(count),
                                               pending_.end());
      pending_.resize(pending_.size() - count);
      const auto round = replayer_.run({.objects = set_.objects,
                                        .refcounts = set_.refcounts,
                                        .watched = watched,
                                        .clear_collecting = stale_});
      if (!round) {
        return std::unexpected(round.error());
      }
      for (const replay::Decrement& decrement : round->decrements) {
        visited_by_[decrement.container].push_back(decrement.watched);
        see(decrement.container);
      }
    }
    return true;
  }

  bool reachable(std::uint32_t object) const { return reachable_.contains(object); }

  /// From the roots that were met to all that they visit.
  void spread() {
    std::vector<std::uint32_t> stack(reachable_.begin(), reachable_.end());
    while (!stack.empty()) {
      const auto found = visited_by_.find(stack.back());
      stack.pop_back();
      if (found == visited_by_.end()) {
        continue;
      }
      for (const std::uint32_t object : found->second) {
        if (reachable_.insert(object).second) {
          stack.push_back(object);
        }
      }
    }
  }

private:
  void see(std::uint32_t object) {
    if (!seen_.insert(object).second) {
      return;
    }
    if (result_.gc_refs[object] != 0) {
      reachable_.insert(object);
    } else {
      pending_.push_back(object);
    }
  }

  replay::Replayer& replayer_;
  const CollectedSet& set_;
  const replay::RoundResult& result_;
  std::span<const Address> stale_;
  std::unordered_set<std::uint32_t> seen_;
  std::unordered_set<std::uint32_t> reachable_;
  std::vector<std::uint32_t> pending_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> visited_by_; // by container
};

} // namespace

Result<std::vector<bool>> are_reachable(replay::Replayer& replayer, const CollectedSet& set,
                                        const replay::RoundResult& result,
                                        std::span<const Address> stale,
                                        std::span<const std::uint32_t> objects) {
  std::vector<bool> flags;
  flags.reserve(objects.size());
  BackwardSearch search(replayer, set, result, stale);
  const auto ended = search.search(objects);
  if (!ended) {
    return std::unexpected(ended.error());
  }
  if (!*ended) {
    const auto all = find_reachable(replayer, set, result);
    if (!all) {
      return std::unexpected(all.error());
    }
    for (const std::uint32_t object : objects) {
      flags.push_back((*all)[object]);
    }
    return flags;
  }
  search.spread();
  for (const std::uint32_t object : objects) {
    flags.push_back(search.reachable(object));
  }
  return flags;
}

Result<std::vector<bool>> find_reachable(replay::Replayer& replayer, const CollectedSet& set,
                                         const replay::RoundResult& result) {
  const std::size_t count = set.objects.size();
  std::vector<replay::Incident> incidents;
  const auto visits = replayer.visits(set.objects, 0, &incidents);
  if (!visits) {
    return std::unexpected(visits.error());
  }
  std::unordered_map<Address, std::uint32_t> index;
  index.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    index.emplace(set.objects[i], static_cast<std::uint32_t>(i));
  }
  // Edges by container, in two flat arrays.
  std::vector<std::size_t> first(count + 1, 0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  edges.reserve(visits->size());
  for (const replay::Visit& visit : *visits) {
    const auto to = index.find(visit.object);
    if (to != index.end() && visit.container < count) {
      edges.emplace_back(visit.container, to->second);
      ++first[visit.container + 1];
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    first[i + 1] += first[i];
  }
  std::vector<std::uint32_t> targets(edges.size());
  std::vector<std::size_t> next(first.begin(), first.end() - 1);
  for (const auto& [from, to] : edges) {
    targets[next[from]++] = to;
  }
  std::vector<bool> reachable(count, false);
  std::vector<std::uint32_t> stack;
  for (std::size_t i = 0; i < count; ++i) {
    // Release builds store a negative gc_refs as a large positive one: the object survives.
    if (i < result.gc_refs.size() && result.gc_refs[i] != 0) {
      reachable[i] = true;
      stack.push_back(static_cast<std::uint32_t>(i));
    }
  }
  while (!stack.empty()) {
    const std::uint32_t from = stack.back();
    stack.pop_back();
    for (std::size_t e = first[from]; e < first[from + 1]; ++e) {
      if (!reachable[targets[e]]) {
        reachable[targets[e]] = true;
        stack.push_back(targets[e]);
      }
    }
  }
  return reachable;
}

} // namespace pygc::analysis
