#include "common/analysis/facts/replay_lacks.h"

#include <fmt/format.h>

namespace pygc::analysis {

void ReplayLacks::add(std::size_t objects, std::uint64_t traversed, std::uint64_t without_gc_refs) {
  not_traversed += objects - traversed;
  unknown += without_gc_refs;
}

std::vector<std::string> ReplayLacks::sentences() const {
  std::vector<std::string> reasons;
  const auto add_reason = [&reasons](std::uint64_t count, const char* what) {
    if (count != 0) {
      reasons.push_back(fmt::format("{} {}", count, what));
    }
  };
  add_reason(damaged, "damaged or missing places on the collector's lists");
  add_reason(not_traversed, "traversals that did not come to their end");
  add_reason(unknown, "objects whose gc_refs cannot be told");
  return reasons;
}

} // namespace pygc::analysis
