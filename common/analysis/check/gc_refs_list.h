// gc_refs of every object that a collection would take, as subtract_refs leaves it.
#pragma once

#include "common/base/error.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct GcRefsRow {
  Address object = 0;
  std::int64_t gc_refs = 0;
  std::uint64_t refcount = 0;
  std::uint32_t type = 0; // index into GcRefsList::types
};

struct GcRefsList {
  std::vector<GcRefsRow> rows; // by interpreter, each in the collector's order
  std::vector<std::string> types;
  std::vector<std::string> incomplete_because;
};

/// Of a collection of that generation and the younger ones. Without one: of the collection that was
/// running when the target stopped, else of a full one. Errors as replay::Replayer::run.
Result<GcRefsList> list_gc_refs(cpython::ObjectReader& reader, const heap::Heap& heap,
                                replay::Replayer& replayer, std::optional<std::size_t> generation);

} // namespace pygc::analysis
