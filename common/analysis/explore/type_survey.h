// The tracked objects by type: how many, how large, what they keep alive.
#pragma once

#include "common/analysis/explore/object_blocks.h"
#include "common/base/error.h"
#include "common/cpython/objects/object_size.h"
#include "common/heap/heap.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pygc::analysis {

enum class TypeOrder : std::uint8_t { objects, size, retained, name };

struct TypeSurveyQuestion {
  std::string type = {}; // a pattern (type_matcher.h); empty: all
  bool retained = false;
  bool garbage = false;  // only what the next full collection would find unreachable
  std::uint64_t min = 0; // bytes: of what is retained when that is asked for, else of the objects
  TypeOrder order = TypeOrder::size;
  /// The engine, which --retained and --garbage need alone.
  std::function<Result<replay::Replayer*>()> replayer = {};
};

struct TypeRow {
  Address type = 0;
  std::string name; // tp_name
  std::uint64_t objects = 0;
  cpython::ObjectSize size; // of all its objects
  BlockSum blocks = {};
  /// Of what would be freed with all of its objects that no other of its objects holds alone, and
  /// how many objects that are; itself included. A lower bound: see Retention.
  std::uint64_t retained = 0;
  std::uint64_t retained_objects = 0;
};

struct TypeSurvey {
  bool retained = false;
  bool garbage = false;
  std::vector<TypeRow> rows;  // in the order asked for, the largest first; names rising
  std::uint64_t types = 0;    // with those below the minimum
  std::uint64_t objects = 0;  // of all types
  cpython::ObjectSize size;   // of all types
  BlockSum blocks = {};       // of all types
  std::uint64_t frozen = 0;   // objects in the permanent generation (gc.freeze())
  std::uint64_t immortal = 0; // objects that no collection takes
  std::vector<std::string> incomplete_because;
};

/// Of all interpreters. Errors: replayer, cancelled, limit.
Result<TypeSurvey> survey_types(cpython::ObjectReader& reader, const heap::Heap& heap,
                                const TypeSurveyQuestion& question);

} // namespace pygc::analysis
