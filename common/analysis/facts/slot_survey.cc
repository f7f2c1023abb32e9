#include "common/analysis/facts/slot_survey.h"

#include <algorithm>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr auto other_key = [](const replay::OtherSlot& other) {
  return std::pair(other.request, other.object);
};

class Surveyor {
public:
  Surveyor(Ownership& ownership, const replay::Trace& trace, SlotSurvey& survey)
      : ownership_(ownership), others_(trace.others), survey_(survey) {
    std::ranges::sort(others_, {}, [](const replay::OtherSlot& other) {
      return std::tuple(other.request, other.object, other.slot);
    });
  }

  void add(const replay::TracedVisit& traced) {
    const Address container = survey_.requests[traced.request].container;
    if (container != container_) {
      container_ = container;
      extent_ = ownership_.extent(container);
    }
    SlotVisit visit{.request = traced.request,
                    .object = traced.object,
                    .slot = traced.slot,
                    .owner = ownership_.owner(extent_, traced.slot),
                    .counted = traced.counted,
                    .repeated = traced.repeated && traced.slot.is_known(),
                    .certain = traced.slot.is_known()};
    const auto others =
        std::ranges::equal_range(others_, std::pair(traced.request, traced.object), {}, other_key);
    visit.certain = visit.certain && others.empty();
    if (is_foreign(visit.owner)) {
      for (const replay::OtherSlot& other : others) {
        const Owner owner = ownership_.owner(extent_, other.slot);
        if (!is_foreign(owner)) {
          visit.slot = other.slot;
          visit.owner = owner;
          break;
        }
      }
    }
    survey_.visits.push_back(visit);
  }

private:
  Ownership& ownership_;
  std::vector<replay::OtherSlot> others_;
  SlotSurvey& survey_;
  Address container_ = 0;
  Ownership::Extent extent_;
};

} // namespace

std::unordered_set<std::uint32_t> SlotSurvey::not_completed() const {
  std::unordered_set<std::uint32_t> found;
  for (const replay::Incident& incident : incidents) {
    if (replay::ends_traversal(incident.outcome)) {
      found.insert(incident.container);
    }
  }
  return found;
}

Result<SlotSurvey> survey_slots(replay::Tracer& tracer, Ownership& ownership,
                                std::vector<replay::TraceRequest> requests,
                                std::span<const Address> watched_functions) {
  SlotSurvey survey;
  survey.requests = IndexedVector<replay::RequestIndex, replay::TraceRequest>(std::move(requests));
  auto trace = tracer.trace(survey.requests, watched_functions);
  if (!trace) {
    return std::unexpected(trace.error());
  }
  survey.visits.reserve(trace->visits.size());
  Surveyor surveyor(ownership, *trace, survey);
  for (const replay::TracedVisit& visit : trace->visits) {
    surveyor.add(visit);
  }
  survey.incidents = std::move(trace->incidents);
  return survey;
}

} // namespace pygc::analysis
