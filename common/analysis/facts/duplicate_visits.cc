#include "common/analysis/facts/duplicate_visits.h"

#include <algorithm>
#include <tuple>

namespace pygc::analysis {
namespace {

struct Source {
  SlotAddress slot;
  Address object = 0;
  Address container = 0;
};

constexpr auto order = [](const Source& source) {
  return std::tuple(source.slot, source.object, source.container);
};

} // namespace

std::uint64_t DuplicateSlot::visits() const {
  std::uint64_t sum = 0;
  for (const Container& container : containers) {
    sum += container.visits;
  }
  return sum;
}

std::vector<DuplicateSlot> find_duplicate_slots(const SlotSurvey& survey) {
  std::vector<Source> sources;
  sources.reserve(survey.visits.size());
  const auto not_completed = survey.not_completed(); // told as such; some visit over and over
  for (const SlotVisit& visit : survey.visits) {
    const bool by_type = survey.requests[visit.request].function == 0;
    if (by_type && visit.counted && visit.certain && !is_foreign(visit.owner) &&
        !not_completed.contains(visit.request)) {
      sources.push_back({visit.slot, visit.object, survey.container(visit)});
    }
  }
  std::ranges::sort(sources, {}, order);
  std::vector<DuplicateSlot> duplicates;
  for (auto first = sources.begin(); first != sources.end();) {
    auto last = first + 1;
    while (last != sources.end() && last->slot == first->slot && last->object == first->object) {
      ++last;
    }
    if (last - first > 1) {
      DuplicateSlot duplicate{.slot = first->slot, .object = first->object, .containers = {}};
      for (auto each = first; each != last; ++each) {
        if (duplicate.containers.empty() ||
            duplicate.containers.back().address != each->container) {
          duplicate.containers.push_back({each->container, 0});
        }
        ++duplicate.containers.back().visits;
      }
      duplicates.push_back(std::move(duplicate));
    }
    first = last;
  }
  return duplicates;
}

} // namespace pygc::analysis
