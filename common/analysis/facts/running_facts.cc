#include "common/analysis/facts/running_facts.h"

#include "common/cpython/collector/collector.h"
#include "common/cpython/collector/collector_stack.h"

#include <algorithm>

namespace pygc::analysis {
namespace {

std::optional<heap::SetIndex> index_of(const heap::CollectedSet& set, Address object) {
  const auto found = std::ranges::find(set.objects, object);
  if (object == 0 || found == set.objects.end()) {
    return std::nullopt;
  }
  return heap::SetIndex(static_cast<std::size_t>(found - set.objects.begin()));
}

Result<GcRefsComparison> compare(const CheckInput& input, const heap::CollectedSet& set,
                                 std::uint32_t container, std::span<const Address> stale) {
  replay::Round round{.objects = set.objects,
                      .refcounts = set.refcounts,
                      .count = container,
                      .watched = {},
                      .clear_collecting = stale};
  auto before = input.replayer.run(round);
  if (!before) {
    return std::unexpected(before.error());
  }
  round.first = container;
  round.count = 1;
  const auto one = input.replayer.run(round);
  if (!one) {
    return std::unexpected(one.error());
  }
  GcRefsComparison comparison;
  comparison.before = std::move(before->gc_refs);
  comparison.after = comparison.before;
  for (std::size_t i = 0; i < set.objects.size(); ++i) {
    comparison.after[i] -=
        static_cast<std::int64_t>(set.refcounts[heap::SetIndex(i)]) - one->gc_refs[i];
    comparison.stored.push_back(input.heap.states[set.heap_index[heap::SetIndex(i)]].gc_refs());
    comparison.collecting.push_back(
        input.heap.states[set.heap_index[heap::SetIndex(i)]].is_collecting());
  }
  return comparison;
}

void find_traversed_modules(cpython::ObjectReader& reader, RunningFacts& facts) {
  for (std::uint32_t i = 0; i <= *facts.container; ++i) {
    const Address object = facts.set.objects[heap::SetIndex(i)];
    if (!reader.is_module(object)) {
      continue;
    }
    const auto module = reader.module(object);
    if (i == *facts.container) {
      facts.container_definition = module ? module->definition : 0;
    }
    if (module && module->definition != 0 && module->traverses()) {
      facts.traversed_modules[module->definition].push_back(object);
    }
  }
}

} // namespace

Result<std::optional<RunningFacts>> gather_running(const CheckInput& input,
                                                   std::span<const Address> stale) {
  const auto& interpreters = input.reader.runtime().interpreters;
  const auto running = std::ranges::find_if(interpreters, &cpython::Interpreter::collecting);
  if (running == interpreters.end()) {
    return std::nullopt;
  }
  RunningFacts facts;
  facts.interpreter = running->id;
  const auto interpreter = static_cast<std::size_t>(running - interpreters.begin());
  const heap::SpaceRange* list =
      heap::space_in_progress(input.reader.runtime(), input.heap, interpreter);
  if (list != nullptr) {
    const cpython::Space& generation = running->spaces[list->space];
    facts.generation = generation.kind == cpython::SpaceKind::running ? "" : generation.name;
    facts.set = heap::collect_space(input.reader.runtime(), input.heap, *list);
  } else if (!cpython::collector_of(input.reader.runtime().layout).has_lists()) {
    facts.set = heap::collect_spaces(input.reader.runtime(), input.heap, interpreter, SIZE_MAX);
  }
  std::vector<Address> heads;
  for (const cpython::Space& generation : running->spaces) {
    if (generation.kind == cpython::SpaceKind::running) {
      heads.push_back(generation.head);
    }
  }
  const auto stack = cpython::find_collector_stack(input.image, input.threads, heads);
  if (!stack) {
    return facts;
  }
  facts.unwound = true;
  facts.phase = stack->phase;
  if (stack->generation) {
    facts.generation = std::to_string(*stack->generation);
  }
  facts.container = index_of(facts.set, stack->container);
  facts.victim = index_of(facts.set, stack->victim);
  if (facts.phase != cpython::Phase::subtract_refs || !facts.container) {
    return facts;
  }
  auto compared = compare(input, facts.set, *facts.container, stale);
  if (!compared) {
    return std::unexpected(compared.error());
  }
  facts.gc_refs = std::move(*compared);
  if (facts.victim) {
    find_traversed_modules(input.reader, facts);
  }
  return facts;
}

} // namespace pygc::analysis
