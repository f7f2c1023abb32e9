// The last stage of a check: judges the findings against the facts, and lets those that one cause
// explains become one.
#pragma once

#include "common/analysis/facts/facts.h"
#include "common/analysis/finding.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::analysis {

/// What proves why gc_refs is negative.
enum class Proof : std::uint8_t {
  none,
  foreign_slot,   // a visited slot belongs to another owner than its container
  duplicate_slot, // one slot is visited more than once
  own_slots,      // each visit has a slot of its own: more slots than references
};

Cause cause_of(Proof proof);

/// Of a negative_gc_refs.
Proof prove(const Facts& facts, const Finding& finding);

/// True when `told` explains all that `other` tells.
bool explains(const Finding& told, const Finding& other);

/// Leaves out findings that another one explains, lets those of one cause become one, gives each
/// negative_gc_refs that is left its cause and each finding its advice, and puts the worst first.
/// The order does not matter otherwise.
std::vector<Finding> diagnose(const Facts& facts, std::vector<Finding> findings);

} // namespace pygc::analysis
