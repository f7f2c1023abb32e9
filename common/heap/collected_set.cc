#include "common/heap/collected_set.h"

#include "common/base/huge_pages.h"
#include "common/cpython/collector/collector.h"

#include <algorithm>

namespace pygc::heap {
namespace {

void append(const cpython::Runtime& runtime, const Heap& heap, const SpaceRange& space,
            CollectedSet& set) {
  for (std::size_t i = space.first; i < space.first + space.count; ++i) {
    const HeapIndex at(i);
    if (!heap.usable[at]) {
      continue;
    }
    if (runtime.is_immortal(heap.refcounts[at])) {
      ++set.immortal;
      continue;
    }
    set.heap_index.push_back(at);
    set.objects.push_back(heap.objects[at]);
    set.refcounts.push_back(runtime.refcount(heap.refcounts[at]));
  }
}

} // namespace

CollectedSet collect_spaces(const cpython::Runtime& runtime, const Heap& heap,
                            std::size_t interpreter, std::size_t oldest) {
  CollectedSet set;
  set.interpreter = interpreter;
  std::size_t count = 0;
  for (const SpaceRange& space : heap.spaces) {
    count += space.interpreter == interpreter ? space.count : 0;
  }
  reserve_huge(set.heap_index, count);
  reserve_huge(set.objects, count);
  reserve_huge(set.refcounts, count);
  for (const std::size_t joined :
       cpython::collector_of(runtime.layout).taken(runtime.interpreters[interpreter], oldest)) {
    const auto space = std::ranges::find_if(heap.spaces, [&](const SpaceRange& each) {
      return each.interpreter == interpreter && each.space == joined;
    });
    if (space != heap.spaces.end()) {
      append(runtime, heap, *space, set);
    }
  }
  return set;
}

std::vector<std::size_t> swept_spaces(const cpython::Runtime& runtime,
                                      const cpython::Interpreter& interpreter) {
  std::vector<std::size_t> spaces =
      cpython::collector_of(runtime.layout).taken(interpreter, SIZE_MAX);
  for (std::size_t i = 0; i < interpreter.spaces.size(); ++i) {
    if (std::ranges::find(spaces, i) == spaces.end()) {
      spaces.push_back(i);
    }
  }
  return spaces;
}

const SpaceRange* space_in_progress(const cpython::Runtime& runtime, const Heap& heap,
                                    std::size_t interpreter) {
  if (!runtime.interpreters[interpreter].collecting) {
    return nullptr;
  }
  const SpaceRange* best = nullptr;
  for (const SpaceRange& space : heap.spaces) {
    if (space.interpreter == interpreter && space.collecting > 0 &&
        (best == nullptr || space.collecting > best->collecting)) {
      best = &space;
    }
  }
  return best;
}

CollectedSet collect_space(const cpython::Runtime& runtime, const Heap& heap,
                           const SpaceRange& space) {
  CollectedSet set;
  set.interpreter = space.interpreter;
  append(runtime, heap, space, set);
  return set;
}

std::vector<Address> stale_collecting(const Heap& heap) {
  std::vector<Address> stale;
  for (std::size_t i = 0; i < heap.objects.size(); ++i) {
    if (const HeapIndex at(i); heap.states[at].is_collecting()) {
      stale.push_back(heap.objects[at]);
    }
  }
  return stale;
}

} // namespace pygc::heap
