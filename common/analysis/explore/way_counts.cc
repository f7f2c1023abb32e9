#include "common/analysis/explore/way_counts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

/// In a summary a name that the object has itself is quoted. "list of 3 items" changes: its type.
bool has_name(const ObjectView& object) {
  return object.summary.contains('\'');
}

const std::string& word_of(const ObjectView& object) {
  return has_name(object) ? object.summary : object.type;
}

} // namespace

std::string way_of(const WhyPath& path) {
  std::string way;
  // Which words hold a module's dictionary, say, changes while functions run; its name is enough.
  // Where a stack or a block of C lies tells nothing about another process.
  if (!has_name(path.steps.front().object) && !path.roots.empty() &&
      path.roots.front().kind < RootKind::stack && !path.roots.front().name.empty()) {
    way = fmt::format("{} {}: ", root_kind_name(path.roots.front().kind), path.roots.front().name);
  }
  for (const PathStep& step : path.steps) {
    if (&step != &path.steps.front()) {
      way += step.held_at.text.empty() ? " holds " : fmt::format(" {} ", step.held_at.text);
    }
    way += word_of(step.object);
  }
  return way;
}

Counts count_ways(const Why& why) {
  Counts counts;
  for (const WhyPath& path : why.paths) {
    counts[way_of(path)] += path.targets;
  }
  return counts;
}

} // namespace pygc::analysis
