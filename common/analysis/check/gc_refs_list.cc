#include "common/analysis/check/gc_refs_list.h"

#include "common/analysis/check/check.h"
#include "common/analysis/facts/replay_lacks.h"
#include "common/analysis/facts/type_table.h"
#include "common/base/huge_pages.h"
#include "common/heap/collected_set.h"

namespace pygc::analysis {
namespace {

heap::CollectedSet collected(const cpython::Runtime& runtime, const heap::Heap& heap,
                             std::size_t interpreter, std::optional<std::size_t> generation) {
  if (!generation) {
    if (const auto* list = heap::space_in_progress(runtime, heap, interpreter)) {
      return heap::collect_space(runtime, heap, *list);
    }
  }
  return heap::collect_spaces(runtime, heap, interpreter, generation.value_or(SIZE_MAX));
}

class Listing {
public:
  Listing(cpython::ObjectReader& reader, const heap::Heap& heap)
      : heap_(heap), types_(reader), lacks_{.damaged = heap.corruptions.size()} {}

  void add(const heap::CollectedSet& set, const replay::RoundResult& result) {
    if (list_.rows.empty()) {
      reserve_huge(list_.rows, set.objects.size());
    }
    for (std::size_t k = 0; k < set.objects.size(); ++k) {
      list_.rows.push_back({.object = set.objects[heap::SetIndex(k)],
                            .gc_refs = result.gc_refs[k],
                            .refcount = set.refcounts[heap::SetIndex(k)],
                            .type = types_.index(heap_.types[set.heap_index[heap::SetIndex(k)]])});
    }
    lacks_.add(set.objects.size(), result);
  }

  GcRefsList finish() {
    list_.types = types_.take();
    list_.incomplete_because = lacks_.sentences();
    return std::move(list_);
  }

private:
  const heap::Heap& heap_;
  TypeTable types_;
  ReplayLacks lacks_;
  GcRefsList list_;
};

} // namespace

Result<GcRefsList> list_gc_refs(cpython::ObjectReader& reader, const heap::Heap& heap,
                                replay::Replayer& replayer, std::optional<std::size_t> generation) {
  Listing listing(reader, heap);
  const std::vector<Address> stale = heap::stale_collecting(heap);
  for (std::size_t i = 0; i < reader.runtime().interpreters.size(); ++i) {
    const heap::CollectedSet set = collected(reader.runtime(), heap, i, generation);
    if (set.objects.empty()) {
      continue;
    }
    const auto result = replayer.run({.objects = set.objects,
                                      .refcounts = set.refcounts,
                                      .watched = {},
                                      .clear_collecting = stale});
    if (!result) {
      return std::unexpected(result.error());
    }
    listing.add(set, *result);
  }
  return listing.finish();
}

} // namespace pygc::analysis
