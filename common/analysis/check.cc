#include "common/analysis/check.h"

#include "common/analysis/collected_set.h"
#include "common/analysis/engine_comparison.h"
#include "common/analysis/explain.h"
#include "common/analysis/mismatch.h"
#include "common/analysis/provenance.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr std::size_t victim_limit = 64;     // negative objects whose visitors are looked up
constexpr std::size_t visitor_limit = 200;   // visitors listed for one victim
constexpr std::size_t corruption_limit = 50; // corruptions told one by one
constexpr std::size_t incident_limit = 1000; // incidents grouped

class Checker {
public:
  explicit Checker(const CheckInput& input)
      : input_(input), runtime_(input.reader.runtime()), heap_(input.heap),
        explainer_(input.image, input.reader, input.heap), stale_(stale_collecting(input.heap)) {}

  Result<CheckReport> run() {
    describe_interpreters();
    tell_corruptions();
    for (std::size_t i = 0; i < runtime_.interpreters.size(); ++i) {
      if (auto replayed = replay_interpreter(i); !replayed) {
        return std::unexpected(replayed.error());
      }
    }
    if (auto compared = explain_collection(input_, explainer_, stale_, report_); !compared) {
      return std::unexpected(compared.error());
    }
    tell_missing_files();
    if (input_.threads.empty()) {
      report_.notes.emplace_back(
          "the target has no registers of any thread: traverse functions ran "
          "without thread-local storage, and no stack could be looked at");
    }
    if (runtime_.layout.stack_ref_size && runtime_.visit_decref == 0) {
      incomplete(
          "the collector's visit_decref was not found: references that suspended frames only "
          "borrow were counted; install the debug symbols");
    }
    if (runtime_.layout.gc_young) {
      report_.notes.emplace_back(
          "this is the incremental collector of 3.14.0 to 3.14.4: its lists "
          "are walked as its sources have them, no build of it was measured");
    }
    if (input_.truncated) {
      incomplete("the core file is truncated: part of the target's memory is not there");
    }
    if (report_.objects.not_traversed > 0) {
      incomplete(
          fmt::format("{} objects were not traversed to the end", report_.objects.not_traversed));
    }
    if (heap_.unreadable > 0) {
      incomplete(fmt::format("{} objects on the lists cannot be used", heap_.unreadable));
    }
    std::ranges::stable_sort(report_.findings, {}, &Finding::severity);
    return std::move(report_);
  }

private:
  void incomplete(std::string why) {
    report_.complete = false;
    report_.incomplete_because.push_back(std::move(why));
  }

  void describe_interpreters() {
    for (std::size_t i = 0; i < runtime_.interpreters.size(); ++i) {
      const cpython::Interpreter& interpreter = runtime_.interpreters[i];
      InterpreterView view{.id = interpreter.id, .address = interpreter.address, .generations = {}};
      for (const heap::ListRange& list : heap_.lists) {
        if (list.interpreter != i) {
          continue;
        }
        const cpython::Generation& generation = interpreter.generations[list.generation];
        view.generations.push_back({.name = generation.name,
                                    .address = generation.head,
                                    .count = generation.count,
                                    .threshold = generation.threshold,
                                    .objects = list.count});
        if (generation.permanent) {
          report_.objects.frozen += list.count;
        }
      }
      report_.interpreters.push_back(std::move(view));
    }
    report_.objects.walked = heap_.objects.size();
    report_.objects.unreadable = heap_.unreadable;
  }

  void tell_corruptions() {
    std::size_t told = 0;
    for (const heap::Corruption& corruption : heap_.corruptions) {
      if (corruption.kind == heap::CorruptionKind::list) {
        incomplete(fmt::format(
            "generation {} of interpreter {} could not be walked from end to end",
            generation_name(corruption), runtime_.interpreters[corruption.interpreter].id));
      }
      if (++told > corruption_limit) {
        continue;
      }
      Finding finding;
      finding.interpreter = runtime_.interpreters[corruption.interpreter].id;
      if (corruption.memory_missing) {
        finding.kind = FindingKind::memory_missing;
        finding.severity = Severity::warning;
      } else if (corruption.kind == heap::CorruptionKind::list) {
        finding.kind = FindingKind::list_corrupt;
      } else {
        finding.kind = FindingKind::object_corrupt;
      }
      const Address shown = corruption.object != 0 ? corruption.object : corruption.previous;
      if (shown != 0) {
        finding.object = explainer_.object(shown);
        finding.address = shown;
      }
      finding.message =
          fmt::format("Generation {}: {}.", generation_name(corruption), corruption.message);
      if (!corruption.memory_missing && corruption.kind == heap::CorruptionKind::list) {
        finding.message += " The next collection of this generation will crash or lose objects.";
      }
      report_.findings.push_back(std::move(finding));
    }
    if (told > corruption_limit) {
      report_.notes.push_back(
          fmt::format("{} further corruptions are not listed", told - corruption_limit));
    }
  }

  const std::string& generation_name(const heap::Corruption& corruption) const {
    return runtime_.interpreters[corruption.interpreter].generations[corruption.generation].name;
  }

  /// A full collection of one interpreter: every generation but the permanent one.
  Result<void> replay_interpreter(std::size_t interpreter) {
    const CollectedSet set = collect_generations(runtime_, heap_, interpreter, SIZE_MAX);
    report_.objects.immortal += set.immortal;
    if (set.objects.empty()) {
      return {};
    }
    replay::Round round{.objects = set.objects,
                        .refcounts = set.refcounts,
                        .watched = {},
                        .clear_collecting = stale_};
    auto result = input_.replayer.run(round);
    if (!result) {
      return std::unexpected(result.error());
    }
    report_.objects.traversed += result->traversed;
    report_.objects.visits += result->visits;
    report_.objects.not_traversed +=
        set.objects.size() - std::min<std::size_t>(result->traversed, set.objects.size());
    report_.replay_seconds += result->seconds;
    if (!result->unknown.empty()) {
      incomplete(fmt::format("the gc_refs of {} objects cannot be told", result->unknown.size()));
    }
    tell_incidents(set, result->incidents);
    if (input_.second != nullptr) {
      auto compared = compare_engines(input_.replayer, *input_.second, round, *result);
      if (compared) {
        add_comparison(*compared);
      } else if (auto told = tell_failed("the engines were not compared", compared.error());
                 !told) {
        return told;
      }
    }
    if (auto told = tell_negatives(set, *result); !told) {
      return told;
    }
    if (input_.tracer == nullptr) {
      return {};
    }
    const auto traced = trace_provenance(input_, explainer_, set, *result, stale_, report_);
    return traced ? traced
                  : tell_failed("visits were not traced to their slots and owners", traced.error());
  }

  /// What the replay gave stands when a further part fails; only the user's interruption ends all.
  Result<void> tell_failed(std::string_view what, const Error& error) {
    if (error.kind == ErrorKind::cancelled) {
      return std::unexpected(error);
    }
    incomplete(fmt::format("{}: {}", what, error.reason));
    return {};
  }

  void add_comparison(const ComparedEngines& compared) {
    report_.engines = report_.engines.value_or(EngineComparison{});
    report_.engines->objects += compared.counts.objects;
    report_.engines->differences += compared.counts.differences;
    report_.engines->not_compared += compared.counts.not_compared;
    if (compared.counts.differences > 0) {
      incomplete(fmt::format("the engines differ on {} objects, which is a defect of pygc; the "
                             "first ones: {}",
                             compared.counts.differences, compared.first_ones));
    }
  }

  /// Equal incidents (same function, same place) are one finding.
  void tell_incidents(const CollectedSet& set, const std::vector<replay::Incident>& incidents) {
    std::map<std::tuple<replay::Outcome, Address, Address>, Finding> groups;
    std::map<Address, std::uint64_t> unsupported;
    for (std::size_t i = 0; i < std::min(incidents.size(), incident_limit); ++i) {
      const replay::Incident& incident = incidents[i];
      if (incident.outcome == replay::Outcome::unsupported_instruction) {
        ++unsupported[incident.pc];
        continue;
      }
      const Address container = set.objects[incident.container];
      const Address function = explainer_.traverse_function(container, 0);
      auto [found, fresh] = groups.try_emplace({incident.outcome, function, incident.pc});
      Finding& finding = found->second;
      if (!fresh) {
        ++finding.occurrences;
        continue;
      }
      finding.interpreter = runtime_.interpreters[set.interpreter].id;
      finding.object = explainer_.object(container);
      finding.function = explainer_.function_name(function);
      finding.pc = incident.pc;
      finding.address = incident.address;
      describe_incident(incident, finding);
    }
    for (auto& [key, finding] : groups) {
      report_.findings.push_back(std::move(finding));
    }
    for (const auto& [pc, count] : unsupported) {
      report_.notes.push_back(fmt::format("{} traversals need an instruction that the emulator "
                                          "lacks, in {}: the native engine can run them",
                                          count, input_.image.describe_code(pc)));
    }
    if (incidents.size() > incident_limit) {
      report_.notes.push_back(fmt::format("{} further incidents of traversals are not listed",
                                          incidents.size() - incident_limit));
    }
  }

  void describe_incident(const replay::Incident& incident, Finding& finding) const {
    const std::string at = input_.image.describe_code(incident.pc);
    const image::Region* region = input_.image.memory().find(incident.address);
    switch (incident.outcome) {
    case replay::Outcome::syscall:
      finding.kind = FindingKind::traverse_syscall;
      finding.severity = Severity::warning;
      finding.message = fmt::format("The traversal by {} makes system call {} in {}.",
                                    finding.function, incident.number, at);
      return;
    case replay::Outcome::timeout:
      finding.kind = FindingKind::traverse_timeout;
      finding.message = fmt::format("The traversal by {} does not end; it was stopped in {}.",
                                    finding.function, at);
      return;
    default:
      break;
    }
    if (region != nullptr && region->source == image::Source::missing) {
      finding.kind = FindingKind::memory_missing;
      finding.severity = Severity::warning;
      finding.message =
          fmt::format("The traversal by {} needs the memory at {:#x}, which is not to be had: {}.",
                      finding.function, incident.address, region->why_missing);
      return;
    }
    finding.kind = FindingKind::traverse_fault;
    if (incident.outcome == replay::Outcome::illegal_instruction ||
        incident.outcome == replay::Outcome::trap) {
      finding.message =
          fmt::format("The traversal by {} ends in an illegal instruction or trap in {}.",
                      finding.function, at);
    } else {
      finding.message = fmt::format("The traversal by {} faults in {}, accessing {:#x}. The next "
                                    "collection of this object will crash.",
                                    finding.function, at, incident.address);
    }
  }

  Result<void> tell_negatives(const CollectedSet& set, const replay::RoundResult& result) {
    std::vector<std::uint32_t> victims;
    std::size_t negatives = 0;
    for (std::size_t i = 0; i < result.gc_refs.size(); ++i) {
      if (result.gc_refs[i] < 0 && ++negatives <= victim_limit) {
        victims.push_back(static_cast<std::uint32_t>(i));
      }
    }
    if (victims.empty()) {
      return {};
    }
    if (negatives > victim_limit) {
      report_.notes.push_back(fmt::format("{} further objects with negative gc_refs are not listed",
                                          negatives - victim_limit));
    }
    replay::Round round{.objects = set.objects,
                        .refcounts = set.refcounts,
                        .watched = victims,
                        .clear_collecting = stale_};
    const auto attributed = input_.replayer.run(round);
    if (!attributed) {
      return std::unexpected(attributed.error());
    }
    std::map<std::uint32_t, std::vector<replay::Decrement>> by_victim;
    std::vector<Address> involved;
    for (const replay::Decrement& decrement : attributed->decrements) {
      by_victim[decrement.watched].push_back(decrement);
      involved.push_back(set.objects[decrement.container]);
    }
    for (const std::uint32_t victim : victims) {
      involved.push_back(set.objects[victim]);
    }
    explainer_.prepare(involved);
    for (const std::uint32_t victim : victims) {
      tell_negative(set, victim, result.gc_refs[victim], by_victim[victim]);
    }
    return {};
  }

  void tell_negative(const CollectedSet& set, std::uint32_t victim, std::int64_t gc_refs,
                     const std::vector<replay::Decrement>& decrements) {
    Finding finding;
    finding.kind = FindingKind::negative_gc_refs;
    finding.interpreter = runtime_.interpreters[set.interpreter].id;
    const Address address = set.objects[victim];
    finding.object = explainer_.object(address);
    finding.gc_refs = gc_refs;
    finding.visits =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(set.refcounts[victim]) - gc_refs);
    for (const replay::Decrement& decrement : decrements) {
      if (finding.visitors.size() < visitor_limit) {
        finding.visitors.push_back(
            explainer_.visitor(set.objects[decrement.container], address, decrement.visits));
      }
    }
    finding.message = fmt::format(
        "{} containers visit this object {} times, but only {} references to it exist: at least {} "
        "of "
        "the visits {} to a reference that its container does not own. A debug build will abort "
        "with "
        "\"refcount is too small\"; a release build may clear the object while it is in use.",
        decrements.size(), *finding.visits, set.refcounts[victim], -gc_refs,
        gc_refs == -1 ? "is" : "are");
    report_.findings.push_back(std::move(finding));
  }

  void tell_missing_files() {
    for (const auto& module : input_.image.modules()) {
      if (module->file_state() == image::FileState::build_id_mismatch) {
        Finding finding;
        finding.kind = FindingKind::build_id_mismatch;
        finding.severity = Severity::warning;
        finding.address = module->extent().start;
        finding.message = fmt::format("{}. Nothing of that file was run.", module->file_problem());
        report_.findings.push_back(std::move(finding));
      }
    }
  }

  const CheckInput& input_;
  const cpython::Runtime& runtime_;
  const heap::Heap& heap_;
  Explainer explainer_;
  std::vector<Address> stale_;
  CheckReport report_;
};

} // namespace

Result<CheckReport> check(const CheckInput& input) {
  Checker checker(input);
  return checker.run();
}

} // namespace pygc::analysis
