// Which traversals of a collection are traced.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/heap/collected_set.h"
#include "common/replay/emulated.h"

#include <span>
#include <vector>

namespace pygc::analysis {

/// `wanted`, every module with its dictionary, through which most files and caches are
/// reached, and the first instances of each type: 25, or all when input.deep. Each container once.
std::vector<replay::TraceRequest> plan_traces(const CheckInput& input,
                                              const heap::CollectedSet& set,
                                              std::span<const Address> wanted);

} // namespace pygc::analysis
