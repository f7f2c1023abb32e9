// Where a running collection had got to, read off the stack of the thread that runs it.
#pragma once

#include "common/cpython/collector/phase.h"
#include "common/image/module.h"
#include "common/target/target.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pygc::cpython {

/// What the collecting thread's stack says. Addresses are as the frames' variables give them: check
/// them against the heap before use. 0: not known.
struct CollectorStack {
  std::uint64_t tid = 0;
  Phase phase = Phase::unknown; // by the collector's innermost function
  Address container = 0; // parent of visit_decref, or the object whose traverse function runs
  Address victim = 0;    // the object of a failed _PyObject_ASSERT
  std::string traverse;  // the traverse function that was running, empty when none
  std::optional<std::uint64_t> generation; // the oldest one collected
};

/// Looks for a thread inside gc_collect_main (3.11+), collect (up to 3.10) or one of their callees
/// (Python/gc.c, Modules/gcmodule.c). `heads` are lists that lie on the collector's stack: its
/// thread is looked at first. Empty when no stack can be unwound to one.
std::optional<CollectorStack> find_collector_stack(const image::ProcessImage& image,
                                                   const std::vector<target::Thread>& threads,
                                                   std::span<const Address> heads);

} // namespace pygc::cpython
