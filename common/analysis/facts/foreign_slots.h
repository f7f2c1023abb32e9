// Slots that are visited by containers that do not own them.
#pragma once

#include "common/analysis/facts/slot_survey.h"
#include "common/base/slot_address.h"

#include <vector>

namespace pygc::analysis {

/// One such slot with all visits through it.
struct ForeignSlot {
  struct Visit {
    Address container = 0;
    /// The container is a module with global state that cannot have a second instance: it is right
    /// to visit its globals as long as it lives.
    bool single_with_globals = false;
  };
  SlotAddress slot;
  Address object = 0; // what the slot refers to
  Owner owner = Owner::unknown;
  std::vector<Visit> visits; // in order of traversal
};

/// Ascending. Only visits by tp_traverse that count: an m_traverse traced alone repeats its
/// module's.
std::vector<ForeignSlot> find_foreign_slots(const SlotSurvey& survey,
                                            cpython::ObjectReader& reader);

} // namespace pygc::analysis
