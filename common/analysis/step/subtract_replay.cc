#include "common/analysis/step/subtract_replay.h"

#include <unordered_map>

namespace pygc::analysis {

Result<replay::RoundResult> SubtractReplay::run(std::size_t first, std::size_t count,
                                                std::span<const std::uint32_t> watched) {
  return replayer_.run({.objects = set_.objects,
                        .refcounts = set_.refcounts,
                        .first = first,
                        .count = count,
                        .watched = watched,
                        .clear_collecting = stale_});
}

Result<std::vector<std::int64_t>> SubtractReplay::gc_refs_after(std::uint32_t count) {
  auto result = run(0, count, {});
  if (!result) {
    return std::unexpected(result.error());
  }
  return std::move(result->gc_refs);
}

Result<std::vector<std::int64_t>> SubtractReplay::decrements_by(std::uint32_t container) {
  auto result = run(container, 1, {});
  if (!result) {
    return std::unexpected(result.error());
  }
  std::vector<std::int64_t> decrements = std::move(result->gc_refs);
  for (std::size_t i = 0; i < decrements.size(); ++i) {
    decrements[i] = static_cast<std::int64_t>(set_.refcounts[heap::SetIndex(i)]) - decrements[i];
  }
  return decrements;
}

Result<std::vector<replay::Decrement>>
SubtractReplay::decrements_of(std::span<const std::uint32_t> objects) {
  auto result = run(0, SIZE_MAX, objects);
  if (!result) {
    return std::unexpected(result.error());
  }
  return std::move(result->decrements);
}

Result<std::vector<std::uint32_t>> SubtractReplay::visits_by(std::uint32_t container) {
  auto left = decrements_by(container);
  if (!left) {
    return std::unexpected(left.error());
  }
  const auto made = replayer_.visits(std::span(set_.objects).subspan(container, 1), 0, nullptr);
  if (!made) {
    return std::unexpected(made.error());
  }
  std::unordered_map<Address, std::uint32_t> decremented;
  for (std::uint32_t i = 0; i < left->size(); ++i) {
    if ((*left)[i] > 0) {
      decremented.emplace(set_.objects[heap::SetIndex(i)], i);
    }
  }
  std::vector<std::uint32_t> visits;
  for (const replay::Visit& visit : *made) {
    const auto found = decremented.find(visit.object);
    if (found != decremented.end() && (*left)[found->second]-- > 0) {
      visits.push_back(found->second);
    }
  }
  return visits;
}

Result<std::uint64_t> SubtractReplay::calls_until(std::uint32_t container, std::uint32_t object,
                                                  std::uint64_t count) {
  const auto made = replayer_.visits(std::span(set_.objects).subspan(container, 1), 0, nullptr);
  if (!made) {
    return std::unexpected(made.error());
  }
  std::uint64_t calls = 0;
  for (const replay::Visit& visit : *made) {
    ++calls;
    if (visit.object == set_.objects[heap::SetIndex(object)] && --count == 0) {
      return calls;
    }
  }
  return 0;
}

} // namespace pygc::analysis
