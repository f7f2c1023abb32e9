// What traversals do that they must not: writes that last, as tracing sees them.
#pragma once

#include "common/analysis/check.h"
#include "common/analysis/explain.h"
#include "common/analysis/slot_survey.h"

namespace pygc::analysis {

/// Adds a traverse_write for each function and instruction that changes memory for good (an error
/// when it is a reference count, which the collector has copied before), and a note of instructions
/// that the emulator lacks. The dynamic linker may write: it binds functions at their first call.
void tell_traverse_effects(const CheckInput& input, Explainer& explainer, const SlotSurvey& survey,
                           CheckReport& report);

/// True for code of the dynamic linker.
bool is_dynamic_linker(const image::ProcessImage& image, Address pc);

/// The object whose ob_refcnt lies at the address; 0 when there is none.
Address counted_object(const CheckInput& input, Address address);

} // namespace pygc::analysis
