// Why an object is alive: the shortest paths to it from what is held from outside of the collected
// objects.
#pragma once

#include "common/analysis/explore/reference_names.h"
#include "common/analysis/explore/roots.h"
#include "common/analysis/facts/explain.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/machine/thread.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

namespace pygc::analysis {

struct PathStep {
  ObjectView object;
  ReferenceName held_at; // where in the step before; none of the first
  bool common = true;    // of merged paths: this object lies on all of them
};

struct WhyPath {
  std::uint64_t targets = 1;   // merged: that such a path leads to
  std::int64_t gc_refs = 0;    // of the first object: references to it that are no visits
  std::vector<Root> roots;     // that may be these; the most telling first, a few
  std::vector<PathStep> steps; // the first is held by the roots, the last was asked for
};

struct Why {
  std::uint64_t targets = 0;     // objects asked for
  std::uint64_t unreachable = 0; // of them: no path leads there, the next collection takes them
  bool merged = false;
  std::uint64_t nested = 0;   // merged: targets to which paths lead through other targets
  std::uint64_t excluded = 0; // objects that no path may lead through
  std::vector<WhyPath> paths; // the shortest first; merged: first those to the most targets
  /// Frames, static variables and the interpreter that an unreachable one may be held by all the
  /// same: its reference count is too low then, and it is freed in use. Likely, no more.
  std::vector<Root> users;
  bool more = false; // further roots may hold them: the search was ended at the limit
  std::vector<std::string> notes;
  std::vector<std::string> incomplete_because;
};

struct WhyQuestion {
  Address object = 0;    // 0: by type
  std::string type = {}; // a pattern (type_matcher.h)
  std::size_t limit = 3; // paths
  bool merge = false;    // one path to each target, those that are alike folded into one
  std::unordered_set<Address> without = {};    // no path is to lead through these objects,
  std::vector<std::string> without_types = {}; // or through objects of such types (patterns)
  const std::vector<machine::Thread>& threads;
  std::function<bool()> cancelled;
  TracerSource tracer; // to name slots
};

/// Errors: usage (the object itself is to be left out), not_found (no such object among those that
/// a collection takes), replayer, cancelled, limit.
Result<Why> find_why(const image::ProcessImage& image, cpython::ObjectReader& reader,
                     const heap::Heap& heap, replay::Replayer& replayer,
                     const WhyQuestion& question);

} // namespace pygc::analysis
