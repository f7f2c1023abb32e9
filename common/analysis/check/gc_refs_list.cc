#include "common/analysis/check/gc_refs_list.h"

#include "common/analysis/facts/replay_lacks.h"
#include "common/analysis/facts/swept_types.h"
#include "common/heap/collected_set.h"

#include <algorithm>
#include <utility>

namespace pygc::analysis {
namespace {

constexpr std::size_t rows_at_a_time = std::size_t{1} << 13U;

heap::CollectedSet collected(const cpython::Runtime& runtime, const heap::Heap& heap,
                             std::size_t interpreter, std::optional<std::size_t> generation) {
  if (!generation) {
    if (const auto* list = heap::space_in_progress(runtime, heap, interpreter)) {
      return heap::collect_space(runtime, heap, *list);
    }
  }
  return heap::collect_spaces(runtime, heap, interpreter, generation.value_or(SIZE_MAX));
}

class ReplayedList final : public GcRefsList {
public:
  ReplayedList(cpython::ObjectReader& reader, const heap::Heap& heap)
      : heap_(heap), table_(reader) {}

  void add(heap::CollectedSet set, replay::RoundResult result) {
    count_ += set.objects.size();
    rounds_.emplace_back(std::move(set), std::move(result));
  }

  std::uint64_t count() const override { return count_; }
  const std::vector<std::string>& types() const override { return table_.names(); }

  Result<void> each(const Take& take) override {
    std::vector<GcRefsRow> rows;
    for (const auto& [set, result] : rounds_) {
      for (std::size_t first = 0; first < set.objects.size(); first += rows.size()) {
        rows.clear();
        const std::size_t end = std::min(first + rows_at_a_time, set.objects.size());
        for (std::size_t k = first; k < end; ++k) {
          const heap::SetIndex at(k);
          rows.push_back({.object = set.objects[at],
                          .gc_refs = result.gc_refs[k],
                          .refcount = set.refcounts[at],
                          .type = table_.index(heap_.types[set.heap_index[at]])});
        }
        if (auto taken = take(rows); !taken) {
          return taken;
        }
      }
    }
    return {};
  }

private:
  const heap::Heap& heap_;
  TypeTable table_;
  std::vector<std::pair<heap::CollectedSet, replay::RoundResult>> rounds_;
  std::uint64_t count_ = 0;
};

class SweptList final : public GcRefsList {
public:
  SweptList(cpython::ObjectReader& reader, replay::Sweep& sweep, std::uint64_t count)
      : table_(reader), sweep_(sweep), count_(count) {}

  std::uint64_t count() const override { return count_; }
  const std::vector<std::string>& types() const override { return table_.names(); }

  Result<void> each(const Take& take) override {
    std::vector<GcRefsRow> rows;
    return sweep_.list([&](std::span<const replay::SweptCounts> piece) {
      rows.clear();
      for (const replay::SweptCounts& counts : piece) {
        rows.push_back({.object = counts.object,
                        .gc_refs = counts.gc_refs,
                        .refcount = counts.refcount,
                        .type = table_.index(counts.type)});
      }
      return take(rows);
    });
  }

private:
  TypeTable table_;
  replay::Sweep& sweep_;
  std::uint64_t count_;
};

} // namespace

Result<std::unique_ptr<GcRefsList>> list_gc_refs(cpython::ObjectReader& reader,
                                                 const heap::Heap& heap, replay::Replayer& replayer,
                                                 std::optional<std::size_t> generation) {
  auto list = std::make_unique<ReplayedList>(reader, heap);
  ReplayLacks lacks{.damaged = heap.corruptions.size()};
  const std::vector<Address> stale = heap::stale_collecting(heap);
  for (std::size_t i = 0; i < reader.runtime().interpreters.size(); ++i) {
    heap::CollectedSet set = collected(reader.runtime(), heap, i, generation);
    if (set.objects.empty()) {
      continue;
    }
    auto result = replayer.run({.objects = set.objects,
                                .refcounts = set.refcounts,
                                .watched = {},
                                .clear_collecting = stale});
    if (!result) {
      return std::unexpected(result.error());
    }
    lacks.add(set.objects.size(), *result);
    list->add(std::move(set), std::move(*result));
  }
  list->incomplete_because = lacks.sentences();
  return list;
}

Result<std::unique_ptr<GcRefsList>> list_swept_gc_refs(cpython::ObjectReader& reader,
                                                       replay::Sweep& sweep) {
  const auto walked = sweep.walk();
  if (!walked) {
    return std::unexpected(walked.error());
  }
  const std::optional<replay::SweptLists>& lists = *walked;
  if (!lists || !are_types(reader, *lists)) {
    return nullptr;
  }
  if (lists->collected != 0) {
    if (auto started = sweep.start_traversals(); !started) {
      return std::unexpected(started.error());
    }
    const auto totals = sweep.finish_traversals();
    if (!totals) {
      return std::unexpected(totals.error());
    }
    if (!totals->has_value()) {
      return nullptr;
    }
  }
  return std::make_unique<SweptList>(reader, sweep, lists->collected);
}

} // namespace pygc::analysis
