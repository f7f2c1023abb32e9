// gc_refs of every object that a collection would take, as subtract_refs leaves it.
#pragma once

#include "common/analysis/facts/type_table.h"
#include "common/base/error.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/replay/replay.h"
#include "common/replay/sweep.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

struct GcRefsRow {
  Address object = 0;
  std::int64_t gc_refs = 0;
  std::uint64_t refcount = 0;
  std::uint32_t type = 0; // index into GcRefsList::types()
};

/// Told in pieces: of millions of objects no array is made.
class GcRefsList {
public:
  using Take = std::function<Result<void>(std::span<const GcRefsRow>)>;

  GcRefsList() = default;
  GcRefsList(const GcRefsList&) = delete;
  GcRefsList& operator=(const GcRefsList&) = delete;
  virtual ~GcRefsList() = default;

  /// Of rows that each() will tell.
  virtual std::uint64_t count() const = 0;
  /// All rows, by interpreter, each in the collector's order. To be called once. Errors: replayer,
  /// cancelled, and those of `take`.
  virtual Result<void> each(const Take& take) = 0;
  /// tp_name of the types of the rows that were told so far.
  virtual const std::vector<std::string>& types() const = 0;

  std::vector<std::string> incomplete_because; // known before the first row is
};

/// Of a collection of that generation and the younger ones. Without one: of the collection that was
/// running when the target stopped, else of a full one. Reader and heap must outlive the list.
/// Errors as replay::Replayer::run.
Result<std::unique_ptr<GcRefsList>> list_gc_refs(cpython::ObjectReader& reader,
                                                 const heap::Heap& heap, replay::Replayer& replayer,
                                                 std::optional<std::size_t> generation);

/// Of a full collection, told by the replayer itself. Null: there is something that list_gc_refs()
/// has to look at. Reader and sweep must outlive the list. Errors as replay::Sweep.
Result<std::unique_ptr<GcRefsList>> list_swept_gc_refs(cpython::ObjectReader& reader,
                                                       replay::Sweep& sweep);

} // namespace pygc::analysis
