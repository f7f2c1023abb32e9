// The objects that keep the most alive, and what one object keeps alive.
#pragma once

#include "common/analysis/facts/explain.h"
#include "common/cpython/objects/object_size.h"
#include "common/heap/heap.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::analysis {

struct DominatorQuestion {
  Address object = 0;    // 0: the objects of the whole heap
  std::size_t limit = 0; // objects of the whole heap, or steps of the chain
  std::uint64_t min = 0; // bytes: of what an object, or all objects of a type, must come to
};

/// An object with what would be freed with it. A lower bound: see Retention.
struct Dominator {
  ObjectView object;
  cpython::ObjectSize size; // of itself
  std::uint64_t retained = 0;
  std::uint64_t objects = 0; // itself included
  Address held_by = 0;       // its immediate dominator; 0: more than one object, or none, holds it
  bool reachable = false;    // else the next full collection takes it
};

struct RetainedType {
  std::string name; // tp_name
  Address type = 0;
  std::uint64_t objects = 0;
  cpython::ObjectSize size;
};

struct DominatorSurvey {
  std::uint64_t objects = 0; // that a full collection takes
  cpython::ObjectSize size;  // of them all
  bool of_one = false;
  /// Of the whole heap: the largest first. Of one object: itself, its immediate dominator, that
  /// one's, and so on.
  std::vector<Dominator> rows;
  std::uint64_t further = 0; // rows beyond the limit
  std::vector<RetainedType>
      types; // of one object: what it retains, itself included, the most first
  std::uint64_t further_types = 0; // below the minimum
  std::vector<std::string> incomplete_because;
};

/// Errors: not_found (no such object among those that a collection takes), replayer, cancelled,
/// limit.
Result<DominatorSurvey> survey_dominators(const image::ProcessImage& image,
                                          cpython::ObjectReader& reader, const heap::Heap& heap,
                                          replay::Replayer& replayer,
                                          const DominatorQuestion& question);

} // namespace pygc::analysis
