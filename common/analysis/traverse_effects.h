// What traversals do that they must not: writes that last, as tracing sees them.
#pragma once

#include "common/analysis/check.h"
#include "common/analysis/explain.h"
#include "common/analysis/slot_survey.h"

namespace pygc::analysis {

/// Adds a traverse_write for each function that changes memory for good, and one (an error) when
/// that is a reference count, which the collector has copied before; both name the first place, in
/// the function's own library where there is one. Adds a note of instructions that the emulator
/// lacks. The dynamic linker may write: it binds functions at their first call.
void tell_traverse_effects(const CheckInput& input, Explainer& explainer, const SlotSurvey& survey,
                           CheckReport& report);

/// True for code of the dynamic linker.
bool is_dynamic_linker(const image::ProcessImage& image, Address pc);

/// The object whose ob_refcnt is written; 0 when it is none, or when the C library writes, which
/// knows no objects: memory that its allocator manages may still look like one.
Address counted_object(const CheckInput& input, const replay::Incident& write);

} // namespace pygc::analysis
