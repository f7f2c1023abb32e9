// The end of the target as evidence.
#pragma once

#include "common/analysis/facts/crash_facts.h"
#include "common/analysis/facts/explain.h"
#include "common/analysis/finding.h"

namespace pygc::analysis {

/// For the report, whatever the thread was doing.
CrashView describe_crash(const CrashFacts& crash, Explainer& explainer);

} // namespace pygc::analysis
