// One object: what it is, where each reference to it is, and what it refers to.
#pragma once

#include "common/analysis/explore/object_blocks.h"
#include "common/analysis/explore/reference_tree.h"
#include "common/analysis/explore/roots.h"
#include "common/machine/thread.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

/// What the collector makes of an object that a full collection takes.
struct CollectorFacts {
  std::int64_t gc_refs = 0; // references that are no visits
  std::uint64_t visits = 0; // that gc_refs was decremented for
  bool reachable = false;
};

struct ObjectFacts {
  bool tracked = false;
  bool immortal = false;
  std::string generation; // the list that it is on; empty when it is not tracked
  /// tp_basicsize, and its items and GC head; what it allocates elsewhere is not in it.
  std::uint64_t own_size = 0;
  /// The allocator's, in which it lies; none of objects that are no allocation of their own.
  std::optional<cpython::MemoryBlock> block;
  std::optional<CollectorFacts> collector;
  std::uint64_t words = 0; // of memory and registers that could be references to it
  std::vector<Root> roots; // of them those that lie in no container's memory as far as can be told
  ReferenceTree referrers; // one step
  ReferenceTree referents; // one step
  std::vector<std::string> incomplete_because;
};

struct ObjectQuestion {
  Address object = 0;
  std::size_t limit = 20; // of each list
  const std::vector<machine::Thread>& threads;
  std::function<bool()> cancelled;
  TracerSource tracer; // to name slots
};

/// Errors as follow_references().
Result<ObjectFacts> examine_object(const image::ProcessImage& image, cpython::ObjectReader& reader,
                                   const heap::Heap& heap, replay::Replayer& replayer,
                                   const ObjectQuestion& question);

} // namespace pygc::analysis
