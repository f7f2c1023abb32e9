#include "common/analysis/facts/foreign_slots.h"

#include <map>

namespace pygc::analysis {
namespace {

bool is_single_with_globals(cpython::ObjectReader& reader, Address container) {
  if (!reader.is_module(container)) {
    return false;
  }
  const auto module = reader.module(container);
  return module && module->is_single_with_globals();
}

} // namespace

std::vector<ForeignSlot> find_foreign_slots(const SlotSurvey& survey,
                                            cpython::ObjectReader& reader) {
  std::map<SlotAddress, ForeignSlot> by_slot;
  for (const SlotVisit& visit : survey.visits) {
    if (!visit.is_unowned() || survey.requests[visit.request].function != 0) {
      continue;
    }
    ForeignSlot& foreign = by_slot[visit.slot];
    foreign.slot = visit.slot;
    foreign.object = visit.object;
    foreign.owner = visit.owner;
    const Address container = survey.container(visit);
    foreign.visits.push_back({container, is_single_with_globals(reader, container)});
  }
  std::vector<ForeignSlot> slots;
  slots.reserve(by_slot.size());
  for (auto& [slot, foreign] : by_slot) {
    slots.push_back(std::move(foreign));
  }
  return slots;
}

} // namespace pygc::analysis
