#include "common/analysis/count_diff.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace pygc::analysis {
namespace {

std::int64_t growth(const CountChange& change) {
  return static_cast<std::int64_t>(change.new_objects) -
         static_cast<std::int64_t>(change.old_objects);
}

} // namespace

std::vector<CountChange> compare_counts(const Counts& old_heap, const Counts& new_heap) {
  std::map<std::string_view, CountChange> all;
  for (const auto& [what, objects] : old_heap) {
    all[what].old_objects = objects;
  }
  for (const auto& [what, objects] : new_heap) {
    all[what].new_objects = objects;
  }
  std::vector<CountChange> changes;
  for (auto& [what, change] : all) {
    change.what = what;
    if (growth(change) != 0) {
      changes.push_back(std::move(change));
    }
  }
  std::ranges::sort(changes, [](const CountChange& a, const CountChange& b) {
    return std::tuple(growth(b), std::string_view(a.what)) <
           std::tuple(growth(a), std::string_view(b.what));
  });
  return changes;
}

} // namespace pygc::analysis
