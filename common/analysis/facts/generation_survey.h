// The collectors' lists of objects: how long each is, and of which types its objects are.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/cpython/runtime.h"
#include "common/heap/heap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct TypeCount {
  std::string name; // empty when unreadable
  std::uint64_t objects = 0;
};
/// The most frequent first, then by name.
void sort_by_count(std::vector<TypeCount>& types);

struct GenerationRow {
  std::string name;
  Address head = 0;
  std::int64_t count = 0;
  std::int64_t threshold = 0;
  std::uint64_t objects = 0;
  bool whole = true;            // the list was walked from end to end
  std::vector<TypeCount> types; // the most frequent first
};

struct InterpreterRow {
  std::int64_t id = 0;
  Address address = 0;
  bool enabled = false;
  bool collecting = false;
  std::optional<cpython::CollectionCounts> counts; // of a collector without generations
  std::vector<GenerationRow> generations;          // youngest first
};

struct GenerationSurvey {
  std::vector<InterpreterRow> interpreters;
  std::vector<std::string> incomplete_because;
};

/// At most `top` types of each list.
GenerationSurvey survey_generations(cpython::ObjectReader& reader, const heap::Heap& heap,
                                    std::size_t top);

} // namespace pygc::analysis
