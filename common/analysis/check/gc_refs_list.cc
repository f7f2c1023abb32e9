#include "common/analysis/check/gc_refs_list.h"

#include "common/analysis/check/check.h"
#include "common/base/huge_pages.h"
#include "common/heap/collected_set.h"

#include <fmt/format.h>
#include <unordered_map>

namespace pygc::analysis {
namespace {

heap::CollectedSet collected(const cpython::Runtime& runtime, const heap::Heap& heap,
                             std::size_t interpreter, std::optional<std::size_t> generation) {
  if (!generation) {
    if (const auto* list = heap::list_in_progress(runtime, heap, interpreter)) {
      return heap::collect_list(runtime, heap, *list);
    }
  }
  return heap::collect_generations(runtime, heap, interpreter, generation.value_or(SIZE_MAX));
}

class Listing {
public:
  Listing(cpython::ObjectReader& reader, const heap::Heap& heap) : reader_(reader), heap_(heap) {}

  void add(const heap::CollectedSet& set, const replay::RoundResult& result) {
    if (list_.rows.empty()) {
      reserve_huge(list_.rows, set.objects.size());
    }
    for (std::size_t k = 0; k < set.objects.size(); ++k) {
      list_.rows.push_back({.object = set.objects[k],
                            .gc_refs = result.gc_refs[k],
                            .refcount = set.refcounts[k],
                            .type = type_index(heap_.types[set.heap_index[k]])});
    }
    not_traversed_ += set.objects.size() - result.traversed;
    unknown_ += result.unknown.size();
  }

  GcRefsList finish() {
    add_reason(heap_.corruptions.size(), "damaged or missing places on the collector's lists");
    add_reason(not_traversed_, "traversals that did not come to their end");
    add_reason(unknown_, "objects whose gc_refs cannot be told");
    return std::move(list_);
  }

private:
  std::uint32_t type_index(Address type) {
    const auto [found, added] =
        indices_.emplace(type, static_cast<std::uint32_t>(list_.types.size()));
    if (added) {
      list_.types.push_back(reader_.type(type).name);
    }
    return found->second;
  }

  void add_reason(std::uint64_t count, const char* what) {
    if (count != 0) {
      list_.incomplete_because.push_back(fmt::format("{} {}", count, what));
    }
  }

  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  GcRefsList list_;
  std::unordered_map<Address, std::uint32_t> indices_;
  std::uint64_t not_traversed_ = 0;
  std::uint64_t unknown_ = 0;
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
