#include "common/heap/collected_set.h"

#include "common/base/huge_pages.h"

#include <algorithm>

namespace pygc::heap {
namespace {

void append(const cpython::Runtime& runtime, const Heap& heap, const ListRange& list,
            CollectedSet& set) {
  for (std::size_t i = list.first; i < list.first + list.count; ++i) {
    if (!heap.usable[i]) {
      continue;
    }
    if (runtime.is_immortal(heap.refcounts[i])) {
      ++set.immortal;
      continue;
    }
    set.heap_index.push_back(static_cast<std::uint32_t>(i));
    set.objects.push_back(heap.objects[i]);
    set.refcounts.push_back(runtime.refcount(heap.refcounts[i]));
  }
}

} // namespace

std::vector<std::size_t> joined_generations(const cpython::Interpreter& interpreter,
                                            std::size_t generation) {
  std::vector<std::size_t> joined;
  for (std::size_t g = 0; g < interpreter.generations.size() && g <= generation; ++g) {
    if (!interpreter.generations[g].permanent) {
      joined.push_back(g);
    }
  }
  // gc_list_merge() appends the younger lists, youngest first, to the oldest one collected.
  if (!joined.empty()) {
    std::rotate(joined.begin(), joined.end() - 1, joined.end());
  }
  return joined;
}

CollectedSet collect_generations(const cpython::Runtime& runtime, const Heap& heap,
                                 std::size_t interpreter, std::size_t generation) {
  CollectedSet set;
  set.interpreter = interpreter;
  std::size_t count = 0;
  for (const ListRange& list : heap.lists) {
    count += list.interpreter == interpreter ? list.count : 0;
  }
  reserve_huge(set.heap_index, count);
  reserve_huge(set.objects, count);
  reserve_huge(set.refcounts, count);
  for (const std::size_t joined :
       joined_generations(runtime.interpreters[interpreter], generation)) {
    const auto list = std::ranges::find_if(heap.lists, [&](const ListRange& each) {
      return each.interpreter == interpreter && each.generation == joined;
    });
    if (list != heap.lists.end()) {
      append(runtime, heap, *list, set);
    }
  }
  return set;
}

const ListRange* list_in_progress(const cpython::Runtime& runtime, const Heap& heap,
                                  std::size_t interpreter) {
  if (!runtime.interpreters[interpreter].collecting) {
    return nullptr;
  }
  const ListRange* best = nullptr;
  for (const ListRange& list : heap.lists) {
    if (list.interpreter == interpreter && list.collecting > 0 &&
        (best == nullptr || list.collecting > best->collecting)) {
      best = &list;
    }
  }
  return best;
}

CollectedSet collect_list(const cpython::Runtime& runtime, const Heap& heap,
                          const ListRange& list) {
  CollectedSet set;
  set.interpreter = list.interpreter;
  append(runtime, heap, list, set);
  return set;
}

std::vector<Address> stale_collecting(const Heap& heap) {
  std::vector<Address> stale;
  for (std::size_t i = 0; i < heap.objects.size(); ++i) {
    if (heap.is_collecting(i)) {
      stale.push_back(heap.objects[i]);
    }
  }
  return stale;
}

} // namespace pygc::heap
