// The tracked objects that a filter lets pass.
#pragma once

#include "common/analysis/explore/filter.h"
#include "common/analysis/facts/explain.h"
#include "common/base/error.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/objects/object_size.h"
#include "common/heap/heap.h"
#include "common/image/module.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct FoundObject {
  ObjectView object;
  cpython::ObjectSize size;
  std::optional<std::int64_t> gc_refs; // when it was asked for, of what a full collection takes
};

/// Told one by one: of millions of objects no texts are kept.
class FoundObjects {
public:
  struct Row {
    heap::HeapIndex at;
    std::optional<std::int64_t> gc_refs;
  };

  /// `count`: of all that passed, those that are not among the rows too; `reasons`: why that is
  /// incomplete. The image, the reader and the heap must outlive it.
  FoundObjects(const image::ProcessImage& image, cpython::ObjectReader& reader,
               const heap::Heap& heap, std::vector<Row> rows, std::uint64_t count,
               std::vector<std::string> reasons);

  std::uint64_t count() const { return count_; }
  /// The rows, in the collector's order. Errors: those of `take`.
  Result<void> each(const std::function<Result<void>(const FoundObject&)>& take);

  std::vector<std::string> incomplete_because;

private:
  const heap::Heap& heap_;
  Explainer explainer_;
  cpython::ObjectSizes sizes_;
  std::vector<Row> rows_;
  std::uint64_t count_;
};

struct FindQuestion {
  std::vector<Filter> filters = {}; // all must let it pass
  bool gc_refs = false;             // to be told, though no filter asks for it
  std::size_t limit = SIZE_MAX;     // of the objects told
  std::function<bool()> cancelled = {};
  /// The engine, which gc_refs need alone.
  std::function<Result<replay::Replayer*>()> replayer = {};
};

/// Of the objects of all interpreters, frozen ones too. Errors: replayer, cancelled.
Result<FoundObjects> find_objects(const image::ProcessImage& image, cpython::ObjectReader& reader,
                                  const heap::Heap& heap, const FindQuestion& question);

} // namespace pygc::analysis
