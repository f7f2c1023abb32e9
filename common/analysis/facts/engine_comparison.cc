#include "common/analysis/facts/engine_comparison.h"

#include <fmt/format.h>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::uint64_t told_limit = 10;

} // namespace

Result<ComparedEngines> compare_engines(replay::Replayer& first, replay::Replayer& second,
                                        const replay::Round& round,
                                        const replay::RoundResult& result) {
  const auto other = second.run(round);
  if (!other) {
    return std::unexpected(other.error());
  }
  std::vector<Address> not_executed;
  for (const replay::Incident& incident : other->incidents) {
    if (incident.outcome == replay::Outcome::unsupported_instruction) {
      not_executed.push_back(round.objects[incident.container]);
    }
  }
  std::unordered_set<Address> unknown;
  if (!not_executed.empty()) {
    const auto visits = first.visits(not_executed, 0, nullptr);
    if (!visits) {
      return std::unexpected(visits.error());
    }
    for (const replay::Visit& visit : *visits) {
      unknown.insert(visit.object);
    }
  }
  ComparedEngines compared;
  for (std::size_t i = 0; i < round.objects.size(); ++i) {
    if (unknown.contains(round.objects[i])) {
      ++compared.counts.not_compared;
      continue;
    }
    ++compared.counts.objects;
    if (result.gc_refs[i] != other->gc_refs[i] && ++compared.counts.differences <= told_limit) {
      compared.first_ones +=
          fmt::format("{}{:#x}: {} against {}", compared.first_ones.empty() ? "" : ", ",
                      round.objects[i], result.gc_refs[i], other->gc_refs[i]);
    }
  }
  return compared;
}

} // namespace pygc::analysis
