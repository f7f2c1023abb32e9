#include "common/cpython/collector/collector_stack.h"

#include <algorithm>
#include <string_view>

namespace pygc::cpython {
namespace {

constexpr std::size_t thread_limit = 256; // unwound, besides those with lists of the collector
constexpr std::size_t frame_limit = 128;
constexpr std::uint64_t oldest_generation = 2; // NUM_GENERATIONS - 1 (pycore_gc.h)

Address variable(const image::Frame& frame, std::string_view name) {
  const auto found = frame.variables.find(name);
  return found == frame.variables.end() ? 0 : found->second;
}

std::optional<CollectorStack> read_stack(const std::vector<image::Frame>& frames) {
  CollectorStack stack;
  std::size_t collector = frames.size();
  Phase stops = Phase::unknown;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::string_view function = frames[i].function;
    stack.phase = phase_named(function);
    if (stack.phase != Phase::unknown) {
      collector = i;
      break;
    }
    for (const Phase one : {Phase::stop_the_world, Phase::start_the_world}) {
      stops = function == phase_name(one) ? one : stops;
    }
    if (function == "gc_collect_main" || function == "collect" ||
        function == "gc_collect_internal" || function == "deduce_unreachable" ||
        function == "deduce_unreachable_heap") {
      stack.phase = stops;
      collector = i;
      break;
    }
  }
  if (collector == frames.size()) {
    return std::nullopt;
  }
  // visit_decref's object is the victim only when an assertion about it ended the process; else it
  // is no more than the one being visited.
  bool asserted = false;
  for (std::size_t i = 0; i < collector; ++i) {
    const image::Frame& frame = frames[i];
    if (frame.function == "_PyObject_AssertFailed") {
      asserted = true;
      stack.victim = variable(frame, "obj");
    } else if (frame.function == "visit_decref" || frame.function == "visit_reachable") {
      stack.container = variable(frame, "parent");
      if (asserted && stack.victim == 0) {
        stack.victim = variable(frame, "op");
      }
    }
  }
  // gc_collect_main and its callers have it as a parameter.
  for (std::size_t i = collector; i < frames.size() && !stack.generation; ++i) {
    const auto found = frames[i].variables.find("generation");
    if (found != frames[i].variables.end() && found->second <= oldest_generation) {
      stack.generation = found->second;
    }
  }
  // The frame right inside the collector's own is the traverse function it called. With a GIL
  // update_refs calls none.
  const bool of_heaps =
      stack.phase == Phase::update_refs && stack.container == 0 && !asserted &&
      std::ranges::any_of(std::span(frames).subspan(collector), [](const image::Frame& frame) {
        return frame.function == "deduce_unreachable_heap";
      });
  if (collector > 0 && (stack.phase == Phase::subtract_refs || of_heaps)) {
    const image::Frame& called = frames[collector - 1];
    stack.traverse = called.function;
    if (stack.container == 0) {
      stack.container = variable(called, "self");
    }
    if (stack.container == 0) {
      stack.container = variable(frames[collector], "op");
    }
  }
  return stack;
}

/// The threads in whose stacks those list heads lie, then the others in their order.
std::vector<const target::Thread*> likely_first(const std::vector<target::Thread>& threads,
                                                std::span<const Address> heads) {
  std::vector<const target::Thread*> order;
  for (const target::Thread& thread : threads) {
    order.push_back(&thread);
  }
  // Of the stacks that begin below a head its own is the nearest.
  for (const Address head : heads) {
    const auto own = std::ranges::min_element(order, {}, [head](const target::Thread* thread) {
      return thread->sp <= head ? head - thread->sp : ~Address{0};
    });
    if (own != order.end()) {
      std::rotate(order.begin(), own, own + 1);
    }
  }
  return order;
}

} // namespace

std::optional<CollectorStack> find_collector_stack(const image::ProcessImage& image,
                                                   const std::vector<target::Thread>& threads,
                                                   std::span<const Address> heads) {
  const auto order = likely_first(threads, heads);
  for (std::size_t i = 0; i < std::min(order.size(), thread_limit); ++i) {
    const auto frames = image.unwind(*order[i], frame_limit);
    if (!frames) {
      continue;
    }
    if (auto stack = read_stack(*frames)) {
      stack->tid = order[i]->tid;
      return stack;
    }
  }
  return std::nullopt;
}

} // namespace pygc::cpython
