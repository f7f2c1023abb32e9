// Slots that are visited more than once: one reference, counted twice.
#pragma once

#include "common/analysis/facts/slot_survey.h"
#include "common/base/slot_address.h"

#include <vector>

namespace pygc::analysis {

/// One slot and the containers that visit it, each with how often.
struct DuplicateSlot {
  struct Container {
    Address address = 0;
    std::uint64_t visits = 0;
  };
  SlotAddress slot;
  Address object = 0; // what the slot refers to
  std::vector<Container> containers;

  std::uint64_t visits() const;
};

/// Those whose owner is a container: a slot of the runtime or of static storage is another matter
/// (unowned_visit). Only visits by tp_traverse that count, and of which no other slot can be the
/// source.
std::vector<DuplicateSlot> find_duplicate_slots(const SlotSurvey& survey);

} // namespace pygc::analysis
