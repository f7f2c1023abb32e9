#include "common/analysis/mismatch.h"

#include "common/analysis/collected_set.h"
#include "common/analysis/collection.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace pygc::analysis {
namespace {

constexpr std::size_t mismatch_limit = 50;

/// What the collector stored, and what it should have stored, around the container in progress.
struct Comparison {
  std::vector<std::int64_t> before; // recomputed up to that container, without it
  std::vector<std::int64_t> after;  // and with it
};

class CollectionExplainer {
public:
  CollectionExplainer(const CheckInput& input, Explainer& explainer, std::span<const Address> stale,
                      CheckReport& report)
      : input_(input), runtime_(input.reader.runtime()), heap_(input.heap), explainer_(explainer),
        stale_(stale), report_(report) {}

  Result<void> run() {
    const auto& interpreters = runtime_.interpreters;
    const auto running = std::ranges::find_if(interpreters, &cpython::Interpreter::collecting);
    if (running == interpreters.end()) {
      return {};
    }
    report_.collection.in_progress = true;
    report_.collection.interpreter = running->id;
    const auto interpreter = static_cast<std::size_t>(running - interpreters.begin());
    const heap::ListRange* list = list_in_progress(runtime_, heap_, interpreter);
    if (list != nullptr) {
      if (const auto& name = running->generations[list->generation].name; name != "stack") {
        report_.collection.generation = name;
      }
      set_ = collect_list(runtime_, heap_, *list);
    }
    const auto stack = find_collector_stack(input_.image, input_.threads);
    if (!stack) {
      report_.notes.emplace_back(
          "a collection was running, but no thread's stack could be unwound to it: "
          "phase, container and victim are unknown");
      return {};
    }
    report_.collection.phase = stack->phase;
    if (stack->generation) {
      report_.collection.generation = std::to_string(*stack->generation);
    }
    const auto container = index_of(stack->container);
    const auto victim = index_of(stack->victim);
    if (container) {
      report_.collection.container = explainer_.object(set_.objects[*container]);
      report_.collection.container_index = *container;
    }
    if (victim) {
      report_.collection.victim = explainer_.object(set_.objects[*victim]);
    }
    if (stack->phase != "subtract_refs" || !container) {
      return {};
    }
    return compare(*container, victim);
  }

private:
  std::optional<std::uint32_t> index_of(Address object) const {
    const auto found = std::ranges::find(set_.objects, object);
    if (object == 0 || found == set_.objects.end()) {
      return std::nullopt;
    }
    return static_cast<std::uint32_t>(found - set_.objects.begin());
  }

  std::int64_t stored(std::uint32_t index) const {
    return static_cast<std::int64_t>(heap_.gc_prev[set_.heap_index[index]]) >> heap::prev_shift;
  }

  bool collecting(std::uint32_t index) const {
    return (heap_.gc_prev[set_.heap_index[index]] & heap::prev_mask_collecting) != 0;
  }

  Result<Comparison> recompute(std::uint32_t container) {
    replay::Round round{.objects = set_.objects,
                        .refcounts = set_.refcounts,
                        .watched = {},
                        .clear_collecting = stale_};
    round.count = container;
    auto before = input_.replayer.run(round);
    if (!before) {
      return std::unexpected(before.error());
    }
    round.first = container;
    round.count = 1;
    const auto one = input_.replayer.run(round);
    if (!one) {
      return std::unexpected(one.error());
    }
    Comparison comparison{std::move(before->gc_refs), {}};
    comparison.after = comparison.before;
    for (std::size_t i = 0; i < comparison.after.size(); ++i) {
      comparison.after[i] -= static_cast<std::int64_t>(set_.refcounts[i]) - one->gc_refs[i];
    }
    return comparison;
  }

  Result<void> compare(std::uint32_t container, std::optional<std::uint32_t> victim) {
    const auto comparison = recompute(container);
    if (!comparison) {
      return std::unexpected(comparison.error());
    }
    std::size_t told = 0;
    for (std::uint32_t i = 0; i < set_.objects.size(); ++i) {
      if (!collecting(i) || i == victim) {
        continue;
      }
      // The traversal in progress may have made none, some or all of its visits.
      const std::int64_t value = stored(i);
      if (value > comparison->before[i] || value < comparison->after[i]) {
        if (++told <= mismatch_limit) {
          tell_mismatch(i, value, comparison->before[i]);
        }
      }
    }
    if (told > mismatch_limit) {
      report_.notes.push_back(fmt::format(
          "{} further objects whose stored gc_refs differ are not listed", told - mismatch_limit));
    }
    if (victim) {
      tell_victim(*victim, container, *comparison);
    }
    return {};
  }

  Finding finding_of(std::uint32_t index, std::int64_t value, std::int64_t recomputed) {
    Finding finding;
    finding.kind = FindingKind::gc_refs_mismatch;
    finding.interpreter = runtime_.interpreters[set_.interpreter].id;
    finding.object = explainer_.object(set_.objects[index]);
    finding.stored = value;
    finding.gc_refs = recomputed;
    finding.visits =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(set_.refcounts[index]) - recomputed);
    return finding;
  }

  /// Not the collection's victim: its references changed after update_refs had counted them.
  void tell_mismatch(std::uint32_t index, std::int64_t value, std::int64_t recomputed) {
    Finding finding = finding_of(index, value, recomputed);
    finding.severity = Severity::warning;
    finding.message = fmt::format(
        "The collector stored gc_refs {}; recomputed from memory up to the container in progress "
        "it is "
        "{}. References to the object were taken or released after update_refs had counted them.",
        value, recomputed);
    report_.findings.push_back(std::move(finding));
  }

  /// Modules up to the container in progress whose m_traverse was called, by definition.
  std::map<Address, std::vector<Address>> traversed_modules(std::uint32_t container) {
    std::map<Address, std::vector<Address>> by_definition;
    for (std::uint32_t i = 0; i <= container; ++i) {
      if (!input_.reader.is_module(set_.objects[i])) {
        continue;
      }
      const auto module = input_.reader.module(set_.objects[i]);
      if (module && module->definition != 0 && module->traverses()) {
        by_definition[module->definition].push_back(set_.objects[i]);
      }
    }
    return by_definition;
  }

  /// The module instances that would explain visits which memory does not: those of the container's
  /// own definition when it is a module; when it visits the victim rightly, it was only the one
  /// that found the count used up, and the instances of a definition that was imported several
  /// times are.
  std::vector<Address> explaining_instances(std::uint32_t container, bool visits_victim,
                                            std::int64_t lacking) {
    const auto by_definition = traversed_modules(container);
    const Address running = set_.objects[container];
    if (!visits_victim && input_.reader.is_module(running)) {
      const auto module = input_.reader.module(running);
      const auto found = by_definition.find(module ? module->definition : 0);
      return found == by_definition.end() ? std::vector<Address>{} : found->second;
    }
    std::vector<Address> most;
    for (const auto& [definition, instances] : by_definition) {
      if (instances.size() > std::max<std::size_t>(most.size(), 1) &&
          static_cast<std::int64_t>(instances.size()) <= lacking) {
        most = instances;
      }
    }
    return most;
  }

  void tell_victim(std::uint32_t victim, std::uint32_t container, const Comparison& comparison) {
    const std::int64_t value = stored(victim);
    const std::int64_t recomputed = comparison.before[victim];
    const bool visits_victim = comparison.after[victim] != comparison.before[victim];
    Finding finding = finding_of(victim, value, recomputed);
    // The visit that was refused is one; what the stored value lacks against memory are others.
    const std::int64_t lacking =
        std::max<std::int64_t>(recomputed - value, 0) + (visits_victim ? 0 : 1);
    const std::vector<Address> instances = explaining_instances(container, visits_victim, lacking);
    finding.unexplained_visits = std::max(static_cast<std::uint64_t>(lacking), instances.size());
    for (const Address instance : instances) {
      finding.visitors.push_back(explainer_.visitor(instance, finding.object->address, 1));
    }
    finding.message =
        fmt::format("visit_decref was called for this object by {} when its stored gc_refs was {}; "
                    "recomputed from "
                    "memory up to that container it is {}. Memory no longer explains {} visit{}",
                    report_.collection.container->summary, value, recomputed,
                    *finding.unexplained_visits, *finding.unexplained_visits == 1 ? "" : "s");
    if (instances.empty()) {
      finding.message +=
          ": the reference was released after it had been counted, or it never was owned.";
    } else {
      finding.message += fmt::format(
          ": {} module instance{} of one definition, traversed by {}, would: {} what {} visited is "
          "no longer there.",
          instances.size(), instances.size() == 1 ? "" : "s", finding.visitors.front().function,
          instances.size() == 1 ? "it reads a slot that was cleared since, so that"
                                : "they read the same slot, which was cleared since, so that",
          instances.size() == 1 ? "it" : "each");
    }
    report_.findings.push_back(std::move(finding));
  }

  const CheckInput& input_;
  const cpython::Runtime& runtime_;
  const heap::Heap& heap_;
  Explainer& explainer_;
  std::span<const Address> stale_;
  CheckReport& report_;
  CollectedSet set_;
};

} // namespace

Result<void> explain_collection(const CheckInput& input, Explainer& explainer,
                                std::span<const Address> stale, CheckReport& report) {
  return CollectionExplainer(input, explainer, stale, report).run();
}

} // namespace pygc::analysis
