// Facts about a heap made by hand, for the tests of detectors.
#pragma once

#include "common/analysis/check/detectors.h"
#include "tests/unit/support/heap_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <utility>
#include <vector>

namespace pygc::analysis {

inline constexpr Address cache_slot = tests::static_base + 0x40;
inline constexpr Address pc = tests::code_base + 3;

class Detectors : public ::testing::Test {
protected:
  Detectors() {
    traverse_ = heap_.add_function("bad_traverse");
    for (const std::uint64_t refcount : {3U, 1U, 1U}) {
      heap_.add_object(refcount);
    }
    heap_.image().library().symbols["cache"] = cache_slot;
    heap_.finish();
    explainer_.emplace(heap_.image(), heap_.reader(), heap_.heap());
    CollectionFacts& facts = facts_.collections.emplace_back();
    facts.interpreter = 7;
    facts.set = heap::collect_spaces(heap_.runtime(), heap_.heap(), 0, SIZE_MAX);
    facts.replayed.gc_refs = {1, 0, 1};
  }

  CollectionFacts& collection() { return facts_.collections.front(); }
  TraceFacts& trace() {
    if (!collection().trace) {
      collection().trace.emplace();
    }
    return *collection().trace;
  }
  Address object(std::uint32_t index) const { return heap_.object(index); }

  void add_incident(replay::Outcome outcome) {
    collection().incidents.groups.push_back({.function = traverse_,
                                             .container = object(1),
                                             .first = {.container = 1,
                                                       .outcome = outcome,
                                                       .pc = pc,
                                                       .address = 0x10,
                                                       .number = 39,
                                                       .arguments = {}},
                                             .count = 2,
                                             .missing_memory = std::nullopt,
                                             .fatal_call = std::nullopt});
  }

  void add_anomaly(heap::CorruptionKind kind, bool memory_missing) {
    heap::Corruption corruption;
    corruption.kind = kind;
    corruption.object = object(0);
    corruption.message = "the list is broken";
    corruption.memory_missing = memory_missing;
    ListAnomaly& anomaly = facts_.anomalies.emplace_back();
    anomaly.corruption = std::move(corruption);
    anomaly.interpreter = 7;
    anomaly.generation = "young";
  }

  /// One finding of a kind from a detector, and none of the others'.
  Finding one(Detector detector) {
    Detection detection = detector(facts_, *explainer_);
    EXPECT_THAT(detection.findings, ::testing::SizeIs(1));
    return detection.findings.empty() ? Finding{} : detection.findings.front();
  }
  std::vector<Finding> all(Detector detector) { return detector(facts_, *explainer_).findings; }

  tests::HeapBuilder heap_;
  Address traverse_ = 0;
  std::optional<Explainer> explainer_;
  Facts facts_;
};

} // namespace pygc::analysis
