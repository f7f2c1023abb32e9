#include "common/analysis/explore/way_diff.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace pygc::analysis {
namespace {

/// In a summary a name that the object has itself is quoted. "list of 3 items" changes: its type.
bool has_name(const ObjectView& object) {
  return object.summary.contains('\'');
}

const std::string& word_of(const ObjectView& object) {
  return has_name(object) ? object.summary : object.type;
}

std::int64_t growth(const WayChange& change) {
  return static_cast<std::int64_t>(change.new_objects) -
         static_cast<std::int64_t>(change.old_objects);
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

std::vector<WayChange> compare_ways(const Why& old_heap, const Why& new_heap) {
  std::map<std::string, WayChange> ways;
  for (const WhyPath& path : old_heap.paths) {
    ways[way_of(path)].old_objects += path.targets;
  }
  for (const WhyPath& path : new_heap.paths) {
    ways[way_of(path)].new_objects += path.targets;
  }
  std::vector<WayChange> changes;
  for (auto& [way, change] : ways) {
    change.way = way;
    if (growth(change) != 0) {
      changes.push_back(std::move(change));
    }
  }
  std::ranges::sort(changes, [](const WayChange& a, const WayChange& b) {
    return std::tuple(growth(b), std::string_view(a.way)) <
           std::tuple(growth(a), std::string_view(b.way));
  });
  return changes;
}

} // namespace pygc::analysis
