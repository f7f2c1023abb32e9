#include "common/analysis/check/check.h"

#include "common/analysis/check/completeness.h"
#include "common/analysis/check/coverage.h"
#include "common/analysis/check/crash.h"
#include "common/analysis/check/detectors.h"
#include "common/analysis/check/diagnosis.h"
#include "common/analysis/facts/gather.h"
#include "common/analysis/facts/gather_swept.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace pygc::analysis {
namespace {

/// In the order in which findings of one severity are told.
constexpr std::array<Detector, 20> detectors = {
    detect_list_corrupt,       detect_object_corrupt,
    detect_dangling_reference, detect_memory_missing,
    detect_traverse_fault,     detect_traverse_assertion,
    detect_traverse_syscall,   detect_traverse_timeout,
    detect_negative_gc_refs,   detect_unowned_visit,
    detect_duplicate_visit,    detect_traverse_write,
    detect_gc_refs_mismatch,   detect_build_id_mismatch,
    detect_lost_object,        detect_undercounted_local,
    detect_unfinished_tuple,   detect_count_corrupt,
    detect_unmerged_count,     detect_crash,
};

void describe_interpreters(const cpython::Runtime& runtime, const heap::Heap& heap,
                           CheckReport& report) {
  for (std::size_t i = 0; i < runtime.interpreters.size(); ++i) {
    const cpython::Interpreter& interpreter = runtime.interpreters[i];
    InterpreterView view{.id = interpreter.id, .address = interpreter.address, .generations = {}};
    for (const heap::SpaceRange& list : heap.spaces) {
      if (list.interpreter != i) {
        continue;
      }
      const cpython::Space& generation = interpreter.spaces[list.space];
      view.generations.push_back({.name = generation.name,
                                  .address = generation.head,
                                  .count = generation.count,
                                  .threshold = generation.threshold,
                                  .objects = list.count});
      report.objects.walked += list.count;
      if (generation.kind == cpython::SpaceKind::permanent) {
        report.objects.frozen += list.count;
      }
    }
    report.interpreters.push_back(std::move(view));
  }
  report.objects.unreadable = heap.unreadable;
}

void count(const Facts& facts, CheckReport& report) {
  report.objects.unreadable -= std::min(facts.being_freed, report.objects.unreadable);
  for (const CollectionFacts& collection : facts.collections) {
    const std::uint64_t objects = collection.objects;
    const std::uint64_t traversed = collection.replayed.traversed;
    report.objects.immortal += collection.set.immortal;
    report.objects.traversed += traversed;
    report.objects.visits += collection.replayed.visits;
    report.objects.not_traversed += objects - std::min(traversed, objects);
    report.objects.traced += collection.trace ? collection.trace->survey.requests.size() : 0;
    report.replay_seconds += collection.replayed.seconds;
    if (collection.engines) {
      report.engines = report.engines.value_or(EngineComparison{});
      report.engines->objects += collection.engines->counts.objects;
      report.engines->differences += collection.engines->counts.differences;
      report.engines->not_compared += collection.engines->counts.not_compared;
    }
  }
}

void describe_collection(const RunningFacts& running, Explainer& explainer,
                         CollectionState& state) {
  state.in_progress = true;
  state.interpreter = running.interpreter;
  state.phase = running.phase;
  state.generation = running.generation;
  state.container_index = running.container;
  if (running.container) {
    state.container = explainer.object(running.set.objects[*running.container]);
  }
  if (running.victim) {
    state.victim = explainer.object(running.set.objects[*running.victim]);
  }
}

/// So that dictionaries among what the findings name are called after their owners.
void prepare_names(const Facts& facts, Explainer& explainer) {
  std::vector<Address> named;
  for (const CollectionFacts& collection : facts.collections) {
    for (const NegativeObject& negative : collection.negatives) {
      named.push_back(collection.set.objects[negative.object]);
      for (const replay::Decrement& decrement : negative.told()) {
        named.push_back(collection.set.objects[heap::SetIndex(decrement.container)]);
      }
    }
  }
  for (const DanglingVisit& dangling : facts.dangling) {
    for (const DanglingVisit::By& by : dangling.by) {
      named.push_back(by.container);
    }
  }
  explainer.prepare(named);
}

CheckReport judge(const CheckInput& input, const heap::Heap& heap, const Facts& facts) {
  CheckReport report;
  Explainer explainer(input.image, input.reader, heap);
  prepare_names(facts, explainer);
  describe_interpreters(input.reader.runtime(), heap, report);
  count(facts, report);
  if (facts.running) {
    describe_collection(*facts.running, explainer, report.collection);
  }
  if (facts.crash) {
    report.crash = describe_crash(*facts.crash, explainer);
  }
  std::vector<Finding> findings;
  for (const Detector detector : detectors) {
    Detection detection = detector(facts, explainer);
    std::ranges::move(detection.findings, std::back_inserter(findings));
    std::ranges::move(detection.notes, std::back_inserter(report.notes));
  }
  report.findings = diagnose(facts, std::move(findings));
  judge_completeness(input, facts, report);
  report.coverage = coverage_of(input, report);
  return report;
}

} // namespace

Result<CheckReport> check(const CheckInput& input) {
  const auto facts = gather_facts(input, {.negatives = true,
                                          .reachability = true,
                                          .running = true,
                                          .crash = true,
                                          .dangling = true,
                                          .contents = true,
                                          .frames = true});
  return facts ? Result<CheckReport>(judge(input, input.heap, *facts))
               : std::unexpected(facts.error());
}

Result<std::optional<CheckReport>> check_swept(const CheckInput& input, replay::Sweep& sweep) {
  const auto gathered = gather_swept(input, sweep);
  if (!gathered) {
    return std::unexpected(gathered.error());
  }
  const std::optional<SweptFacts>& swept = *gathered;
  if (!swept) {
    return std::nullopt;
  }
  return judge(input, swept->heap, swept->facts);
}

} // namespace pygc::analysis
