#include "common/replay/found_walk_layout.h"

#include <span>
#include <vector>

namespace pygc::replay {

Result<protocol::FoundWalk> lay_out_found(SharedWindow& window, const protocol::Walk& walk,
                                          const FoundObjects& found) {
  std::vector<protocol::FoundRun> runs;
  runs.reserve(found.runs.size());
  for (const FoundObjects::Run& run : found.runs) {
    const auto bits = window.put(std::span<const std::uint64_t>(run.words));
    if (!bits) {
      return std::unexpected(bits.error());
    }
    runs.push_back({.first = run.first,
                    .bits = *bits,
                    .words = static_cast<std::uint32_t>(run.words.size()),
                    .collected = run.collected ? 1U : 0U});
  }
  const auto runs_at = window.put(std::span<const protocol::FoundRun>(runs));
  if (!runs_at) {
    return std::unexpected(runs_at.error());
  }
  return protocol::FoundWalk{.walk = walk,
                             .runs = *runs_at,
                             .run_count = runs.size(),
                             .biased = 1,
                             .ob_ref_local = found.ob_ref_local,
                             .ob_ref_shared = found.ob_ref_shared,
                             .ob_gc_bits = found.ob_gc_bits};
}

} // namespace pygc::replay
