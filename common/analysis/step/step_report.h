// What `pygc step` tells of a collection, as data. Views turn it into text and JSON.
#pragma once

#include "common/analysis/facts/explain.h"
#include "common/analysis/finding.h"
#include "common/analysis/step/running_collection.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct StepContainer {
  std::uint64_t index = 0; // its place among the containers, from 0
  ObjectView object;
  std::string function; // its traverse function
};

/// An object whose gc_refs a container has decremented.
struct StepChange {
  ObjectView object;
  std::int64_t before = 0; // before that container's traversal
  std::int64_t stored = 0;
};

/// An object whose stored gc_refs is not what it should be.
struct StepDifference {
  ObjectView object;
  std::int64_t stored = 0;
  std::int64_t highest = 0; // before the container in progress made its visits
  std::int64_t lowest = 0;  // and after them
};

/// A decrement, made or about to be.
struct StepVisit {
  ObjectView object;
  std::int64_t gc_refs = 0; // after it
};

/// Every object of the collection, in its order.
struct StepReferences {
  Address object = 0;
  std::int64_t stored = 0;
};

struct StepReport {
  bool in_progress = false;
  std::optional<std::int64_t> interpreter; // id
  std::string generation;                  // empty when unknown
  std::string phase;                       // empty when unknown
  bool located = false;                    // in subtract_refs, at a known place: then what follows
  std::uint64_t containers = 0;
  std::uint64_t traversed = 0; // of them, to the end
  bool inside = false;
  std::optional<StepContainer> container; // being traversed, or, unless `inside`, the last that was
  std::optional<StepContainer> next;
  std::uint64_t visits_made = 0; // by `container`; decrements only
  std::uint64_t visits_all = 0;
  std::optional<StepVisit> last_visit; // when inside
  std::optional<StepVisit> next_visit; // of the container that is being traversed
  std::vector<StepChange> changed;     // by `container`
  std::uint64_t changed_count = 0;
  std::vector<StepDifference> differences;
  std::uint64_t difference_count = 0;
  std::vector<StepReferences> references; // when all were asked for
  std::vector<std::string> frames;        // innermost first
  std::optional<bool> reached;            // whether this is where the process was to go
};

struct StepReportOptions {
  std::size_t limit = 20; // objects listed of a kind
  bool references = false;
};

/// Errors: as replay::Replayer::run.
Result<StepReport> make_step_report(const RunningCollection& collection,
                                    const image::ProcessImage& image, Explainer& explainer,
                                    const StepReportOptions& options);

/// "name" of each frame, or image+offset.
std::vector<std::string> frame_names(const std::vector<image::Frame>& frames,
                                     const image::ProcessImage& image);

} // namespace pygc::analysis
