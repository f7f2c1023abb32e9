#include "common/analysis/reachability.h"

#include <unordered_map>

namespace pygc::analysis {

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
