#include "common/analysis/explore/object_search.h"

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/type_matcher.h"
#include "common/analysis/facts/replay_lacks.h"
#include "common/cpython/objects/attributes.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace pygc::analysis {
namespace {

constexpr std::size_t objects_between_looks = 4096; // between two looks at whether that is enough

using GcRefs = std::vector<std::optional<std::int64_t>>; // by index of the heap

/// Of what a full collection of each interpreter takes.
Result<GcRefs> find_gc_refs(const cpython::ObjectReader& reader, const heap::Heap& heap,
                            replay::Replayer& replayer, ReplayLacks& lacks) {
  GcRefs gc_refs(heap.objects.size());
  for (std::size_t i = 0; i < reader.runtime().interpreters.size(); ++i) {
    const heap::CollectedSet set = heap::collect_spaces(reader.runtime(), heap, i, SIZE_MAX);
    const auto replayed = replay_gc_refs(heap, replayer, set);
    if (!replayed) {
      return std::unexpected(replayed.error());
    }
    lacks.add(set.objects.size(), *replayed);
    for (std::size_t node = 0; node < set.heap_index.size(); ++node) {
      gc_refs[set.heap_index[heap::SetIndex(node)]] = replayed->gc_refs[node];
    }
    for (const std::uint32_t unknown : replayed->unknown) {
      gc_refs[set.heap_index[heap::SetIndex(unknown)]].reset();
    }
  }
  return gc_refs;
}

/// An object of the heap, looked at as far as a filter wants it.
class Candidate final : public FilteredObject {
public:
  Candidate(cpython::ObjectReader& reader, const heap::Heap& heap, const GcRefs& gc_refs)
      : reader_(reader), heap_(heap), gc_refs_(gc_refs), sizes_(reader) {}

  void look_at(heap::HeapIndex at) { at_ = at; }

  std::optional<std::int64_t> number(Field field) override {
    switch (field) {
    case Field::size:
      return static_cast<std::int64_t>(sizes_.size(heap_.objects[at_], heap_.types[at_]).bytes);
    case Field::refcount:
      return static_cast<std::int64_t>(reader_.runtime().refcount(heap_.refcounts[at_]));
    default:
      return gc_refs_[at_];
    }
  }

  bool has_name(Field field, const std::string& pattern) override {
    if (field == Field::attribute) {
      const auto value = cpython::attribute(reader_, heap_.objects[at_], pattern);
      return value && *value != 0;
    }
    const TypeNames& type = type_names();
    return field == Field::module ? matches_pattern(pattern, type.module) : type.match(pattern);
  }

private:
  const TypeNames& type_names() {
    const auto [found, added] = types_.try_emplace(heap_.types[at_]);
    if (added) {
      found->second = names_of_type(reader_, heap_.types[at_]);
    }
    return found->second;
  }

  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  const GcRefs& gc_refs_;
  cpython::ObjectSizes sizes_;
  std::unordered_map<Address, TypeNames> types_;
  heap::HeapIndex at_;
};

} // namespace

FoundObjects::FoundObjects(const image::ProcessImage& image, cpython::ObjectReader& reader,
                           const heap::Heap& heap, std::vector<Row> rows, std::uint64_t count,
                           std::vector<std::string> reasons)
    : incomplete_because(std::move(reasons)), heap_(heap), explainer_(image, reader, heap),
      sizes_(reader), rows_(std::move(rows)), count_(count) {
  std::vector<Address> objects;
  objects.reserve(rows_.size());
  for (const Row& row : rows_) {
    objects.push_back(heap_.objects[row.at]);
  }
  explainer_.prepare(objects);
}

Result<void> FoundObjects::each(const std::function<Result<void>(const FoundObject&)>& take) {
  for (const Row& row : rows_) {
    const Address object = heap_.objects[row.at];
    if (auto taken = take({.object = explainer_.object(object),
                           .size = sizes_.size(object, heap_.types[row.at]),
                           .gc_refs = row.gc_refs});
        !taken) {
      return taken;
    }
  }
  return {};
}

Result<FoundObjects> find_objects(const image::ProcessImage& image, cpython::ObjectReader& reader,
                                  const heap::Heap& heap, const FindQuestion& question) {
  ReplayLacks lacks{.damaged = heap.corruptions.size()};
  GcRefs gc_refs(heap.objects.size());
  if (question.gc_refs || std::ranges::any_of(question.filters, [](const Filter& filter) {
        return uses(filter, Field::gc_refs);
      })) {
    const auto replayer = question.replayer();
    if (!replayer) {
      return std::unexpected(replayer.error());
    }
    auto found = find_gc_refs(reader, heap, **replayer, lacks);
    if (!found) {
      return std::unexpected(found.error());
    }
    gc_refs = std::move(*found);
  }
  Candidate candidate(reader, heap, gc_refs);
  std::vector<FoundObjects::Row> rows;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < heap.objects.size(); ++i) {
    if (i % objects_between_looks == 0 && question.cancelled()) {
      return fail(ErrorKind::cancelled, 0, "interrupted");
    }
    const heap::HeapIndex at(i);
    candidate.look_at(at);
    if (!heap.usable[at] || !std::ranges::all_of(question.filters, [&](const Filter& filter) {
          return passes(filter, candidate);
        })) {
      continue;
    }
    if (count++ < question.limit) {
      rows.push_back({.at = at, .gc_refs = gc_refs[i]});
    }
  }
  return FoundObjects(image, reader, heap, std::move(rows), count, lacks.sentences());
}

} // namespace pygc::analysis
