// What a target's memory, a replay and a trace of it gave: filled once (gather.h), read only from
// then on. Detectors, the diagnosis and the audit judge it.
#pragma once

#include "common/analysis/facts/code_holds.h"
#include "common/analysis/facts/crash_facts.h"
#include "common/analysis/facts/dangling_visits.h"
#include "common/analysis/facts/deallocations.h"
#include "common/analysis/facts/duplicate_visits.h"
#include "common/analysis/facts/engine_comparison.h"
#include "common/analysis/facts/foreign_slots.h"
#include "common/analysis/facts/frame_counts.h"
#include "common/analysis/facts/free_lists.h"
#include "common/analysis/facts/incidents.h"
#include "common/analysis/facts/lasting_writes.h"
#include "common/analysis/facts/running_facts.h"
#include "common/analysis/facts/slot_survey.h"
#include "common/analysis/facts/split_tables.h"
#include "common/analysis/facts/unfinished_tuples.h"
#include "common/heap/collected_set.h"
#include "common/heap/heap.h"
#include "common/replay/replay.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

/// Visitors of one object, or through one slot, that are traced and told.
inline constexpr std::size_t visitor_limit = 200;

/// What is wrong with a list of an interpreter, or with an object on it.
struct ListAnomaly {
  heap::Corruption corruption;
  std::int64_t interpreter = 0;             // id
  std::string generation;                   // name
  std::optional<Deallocation> deallocation; // that runs, of an object without references
};

/// A file that is not the one that was loaded.
struct MismatchedFile {
  Address start = 0;   // of its image
  std::string problem; // one sentence, without its full stop
};

/// An object whose gc_refs is negative, with all who visit it.
struct NegativeObject {
  heap::SetIndex object;
  std::vector<replay::Decrement> decrements; // in order of traversal

  std::span<const replay::Decrement> told() const {
    return std::span(decrements).first(std::min(decrements.size(), visitor_limit));
  }
};

/// An object that a suspicious slot refers to.
struct Referent {
  heap::SetIndex object;
  bool reachable = false; // the collector would find it so
};

/// What the traced traversals of one collection gave. Slots are suspicious that containers visit
/// without owning them, or more than once.
struct TraceFacts {
  SlotSurvey survey;
  std::vector<ForeignSlot> foreign_slots;
  std::vector<DuplicateSlot> duplicate_slots;
  std::map<Address, Referent> referents; // of suspicious slots, those that are collected
  WriteSummary writes;
};

/// A full collection of one interpreter: every generation but the permanent one.
struct CollectionFacts {
  std::int64_t interpreter = 0; // id
  std::uint64_t objects = 0;    // collected
  /// All of them; of a sweep those only that something is to be said about.
  heap::CollectedSet set;
  replay::RoundResult replayed;
  IncidentSummary incidents;
  std::vector<NegativeObject> negatives;
  std::uint64_t further_negatives = 0; // whose visitors were not looked up
  std::optional<ComparedEngines> engines;
  std::optional<TraceFacts> trace; // nothing: not traced
  // What the replay gave stands when one of these fails.
  std::optional<Error> compare_failure;
  std::optional<Error> trace_failure;

  std::int64_t gc_refs(heap::SetIndex object) const { return replayed.gc_refs[object]; }
  /// Visits that gc_refs has been decremented for.
  std::uint64_t visits(heap::SetIndex object) const {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(set.refcounts[object]) -
                                      gc_refs(object));
  }
};

struct Facts {
  std::vector<ListAnomaly> anomalies;
  std::uint64_t being_freed = 0; // tracked, and a tp_dealloc is about to untrack them
  std::vector<MismatchedFile> mismatched_files;
  std::vector<CollectionFacts> collections;     // one an interpreter
  std::optional<RunningFacts> running;          // the collection that was running, if one was
  std::optional<CrashFacts> crash;              // the signal that ended the target, if one did
  std::vector<DanglingVisit> dangling;          // visits to what is no live object
  std::vector<LostObjects> lost;                // one an interpreter that has some
  std::vector<UndercountedObject> undercounted; // that running functions use
  std::vector<GarbageInUse> in_use;             // by running C functions
  std::vector<UnfinishedTuple> unfinished;
  std::vector<BrokenSplitTable> broken_tables;
  std::vector<FreeListFact> free_lists; // broken ones
  bool truncated = false;               // the core ends before it should
};

} // namespace pygc::analysis
