// Fills the facts: reads, replays and traces.
#pragma once

#include "common/analysis/facts/facts.h"
#include "common/analysis/facts/input.h"
#include "common/base/error.h"

#include <span>

namespace pygc::analysis {

/// Which facts a policy wants besides those that every one does.
struct Wanted {
  bool negatives = false;    // who visits the objects with a negative gc_refs, traced if possible
  bool reachability = false; // of what suspicious slots refer to
  bool running = false;      // the collection that was running
  bool crash = false;        // the signal that ended the target
  bool dangling = false;     // visits to what is no live object
  bool contents = false;     // tuples that were handed out unfinished, dicts with broken tables
  bool frames = false;       // whether what running functions use is counted
  bool lone_modules = false; // trace each m_traverse for itself, too
  std::span<const Address> watched_functions{}; // whose calls are incidents of the trace
};

/// When comparing the engines or tracing fails, the facts say so. Errors: cancelled, replayer.
Result<Facts> gather_facts(const CheckInput& input, const Wanted& wanted);

} // namespace pygc::analysis
