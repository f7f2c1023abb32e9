// Traces traversals and looks through their slots.
#pragma once

#include "common/analysis/facts/facts.h"
#include "common/analysis/facts/input.h"
#include "common/analysis/facts/ownership.h"
#include "common/base/error.h"

#include <span>
#include <vector>

namespace pygc::analysis {

/// All but the referents. The input has a tracer. Errors as Tracer::trace.
Result<TraceFacts> trace_slots(const CheckInput& input, Ownership& ownership,
                               std::vector<replay::TraceRequest> requests,
                               std::span<const Address> watched_functions);

/// What the suspicious slots refer to, ascending.
std::vector<Address> suspicious_objects(const TraceFacts& trace);

/// Files of the image that are not the ones that were loaded.
std::vector<MismatchedFile> find_mismatched_files(const image::ProcessImage& image);

} // namespace pygc::analysis
