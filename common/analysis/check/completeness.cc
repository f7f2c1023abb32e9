#include "common/analysis/check/completeness.h"

#include "common/analysis/check/parts.h"
#include "common/base/numbers.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t told_motions = 3;

class Judge {
public:
  Judge(const CheckInput& input, const Facts& facts, CheckReport& report)
      : input_(input), facts_(facts), report_(report) {}

  void run() {
    lists();
    for (const CollectionFacts& collection : facts_.collections) {
      replay(collection);
    }
    if (facts_.running && !facts_.running->unwound) {
      incomplete("a collection was running, but no thread's stack could be unwound to it: phase, "
                 "container and victim are unknown, and what it stored was not compared");
    }
    for (const LostObjects& lost : facts_.lost) {
      incomplete(fmt::format("{} objects that say they are tracked are on no list of interpreter "
                             "{} that could be found: they were not looked at",
                             lost.count, lost.interpreter));
    }
    if (facts_.crash && !facts_.crash->unwound) {
      incomplete("the stack of the thread that the signal ended could not be unwound: what it was "
                 "doing is unknown");
    }
    target();
  }

private:
  void incomplete(std::string why) {
    report_.complete = false;
    report_.incomplete_because.push_back(std::move(why));
  }
  void note(std::string text) { report_.notes.push_back(std::move(text)); }

  /// What threads were at is told by an example or two: there may be thousands.
  void tell_motion(const ListAnomaly& anomaly) {
    if (++in_motion_ <= told_motions) {
      incomplete(fmt::format("interpreter {}, {}: {}", anomaly.interpreter, anomaly.generation,
                             anomaly.corruption.message));
    } else if (in_motion_ == told_motions + 1) {
      incomplete("and so it is with further ones");
    }
  }

  void lists() {
    for (const ListAnomaly& anomaly : facts_.anomalies) {
      if (anomaly.corruption.in_motion) {
        tell_motion(anomaly);
      } else if (anomaly.corruption.kind == heap::CorruptionKind::space) {
        incomplete(
            fmt::format("generation {} of interpreter {} could not be walked from end to end",
                        anomaly.generation, anomaly.interpreter));
      }
    }
    for (const heap::CorruptionKind kind :
         {heap::CorruptionKind::space, heap::CorruptionKind::object, heap::CorruptionKind::count,
          heap::CorruptionKind::unmerged}) {
      std::uint64_t further = count_anomalies(facts_, kind);
      for (const ToldAnomaly& told : told_anomalies(facts_, kind)) {
        further -= told.objects;
      }
      if (further != 0) {
        note(fmt::format("{} further corruptions are not listed", further));
      }
    }
  }

  void replay(const CollectionFacts& collection) {
    if (!collection.replayed.unknown.empty()) {
      incomplete(fmt::format("the gc_refs of {} objects cannot be told",
                             collection.replayed.unknown.size()));
    }
    if (collection.engines && collection.engines->counts.differences > 0) {
      incomplete(fmt::format("the engines differ on {} objects, which is a defect of pygc; the "
                             "first ones: {}",
                             collection.engines->counts.differences,
                             collection.engines->first_ones));
    }
    if (collection.compare_failure) {
      incomplete("the engines were not compared: " + collection.compare_failure->reason);
    }
    if (collection.trace_failure) {
      incomplete("visits were not traced to their slots and owners: " +
                 collection.trace_failure->reason);
    }
    for (const auto& [pc, count] : collection.incidents.unsupported) {
      note(fmt::format("{} traversals need an instruction that the emulator lacks, in {}: the "
                       "native engine can run them",
                       count, input_.image.describe_code(pc)));
    }
    for (const SkippedObjects& skipped : collection.incidents.skipped) {
      incomplete(fmt::format("{} further objects of {} were not traversed: traversals by it do not "
                             "end",
                             skipped.count, input_.image.describe_code(skipped.function)));
    }
    if (collection.incidents.further > 0) {
      note(fmt::format("{} further incidents of traversals are not listed",
                       collection.incidents.further));
    }
    if (collection.trace) {
      for (const auto& [pc, count] : collection.trace->writes.unsupported) {
        note(fmt::format("{} traced traversals need an instruction that the emulator lacks, in {}: "
                         "their slots are not known",
                         count, input_.image.describe_code(pc)));
      }
    }
  }

  void target() {
    if (facts_.being_freed > 0) {
      note(fmt::format("{} without references left: a thread is in the tp_dealloc that untracks it",
                       counted(facts_.being_freed, "tracked object")));
    }
    const cpython::Runtime& runtime = input_.reader.runtime();
    if (input_.threads.empty()) {
      note("the target has no registers of any thread: traverse functions ran without "
           "thread-local storage, and no stack could be looked at");
    }
    if (runtime.layout.stack_ref_size && runtime.visit_decref == 0) {
      incomplete("the collector's visit_decref was not found: references that suspended frames "
                 "only borrow were counted; install the debug symbols");
    }
    if (runtime.layout.gc_young) {
      note("this is the incremental collector of 3.14.0 to 3.14.4: its lists are walked as its "
           "sources have them, no build of it was measured");
    }
    if (input_.truncated) {
      incomplete("the core file is truncated: part of the target's memory is not there");
    }
    if (report_.objects.not_traversed > 0) {
      incomplete(fmt::format("{} {} not traversed to the end",
                             counted(report_.objects.not_traversed, "object"),
                             report_.objects.not_traversed == 1 ? "was" : "were"));
    }
    if (report_.objects.unreadable > 0) {
      incomplete(
          fmt::format("{} cannot be used", counted(report_.objects.unreadable, "tracked object")));
    }
  }

  const CheckInput& input_;
  const Facts& facts_;
  CheckReport& report_;
  std::size_t in_motion_ = 0;
};

} // namespace

void judge_completeness(const CheckInput& input, const Facts& facts, CheckReport& report) {
  Judge(input, facts, report).run();
}

} // namespace pygc::analysis
