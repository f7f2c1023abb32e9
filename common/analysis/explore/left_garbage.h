// Garbage that stays after each collection: tp_clear leaves a reference by which a cycle holds
// itself.
#pragma once

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/reference_names.h"
#include "common/heap/components.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

/// Objects of a type that visit, after their tp_clear, what keeps their cycle alive.
struct LeftReference {
  std::string type;
  std::string function; // tp_clear; empty: the type has none
  std::string source;   // "file.c:123" of the function; empty: not known
  std::string field;    // where the reference is; empty: not known
  std::uint64_t objects = 0;
  Address example = 0;
  Address visited = 0; // by the example
};

struct LeftGarbage {
  std::uint64_t examined = 0; // cyclic objects whose tp_clear was run, or that have none
  std::uint64_t not_run = 0;  // tp_clear, or a traversal, did not come to its end
  std::uint64_t passed = 0;   // cyclic objects beyond most_cleared
  std::uint64_t objects = 0;  // that stay: in cycles that are left, or held by one
  std::uint64_t cycles = 0;
  /// Whether a finalizer that was not run reaches such a cycle, and could break it.
  bool finalizers = false;
  std::vector<LeftReference> references; // of the cycles that are left; the most objects first
  std::string problem;                   // why nothing was run; empty otherwise
  /// By node; empty: none.
  std::vector<bool> staying;
  std::vector<bool> unknown; // in cycles that were not looked at, or held by what may stay of these
};

/// Objects whose tp_clear is run, as a rule.
inline constexpr std::size_t max_cleared = 10000;

struct LeftGarbageInput {
  const image::ProcessImage& image;
  cpython::ObjectReader& reader;
  const Collection& collection;
  const heap::Components& components; // of what is unreachable
  const std::vector<bool>& deleted;   // by node: unreachable, and not for gc.garbage
  /// Nodes whose finalizer the collection would call.
  const std::vector<std::uint32_t>& finalized;
  std::size_t most_cleared; // objects, in whole cycles; and as many that cycles hold which stay
};

/// Mirrors delete_garbage (Modules/gcmodule.c, Python/gc.c): runs tp_clear of the unreachable
/// objects that are in cycles, in the emulator, each by itself and with the objects around it held,
/// and asks what they still visit. A cycle of what is left is freed by no collection, and neither
/// is what it holds by way of others, whose tp_clear is run for that. Errors: cancelled.
Result<LeftGarbage> find_left_garbage(const LeftGarbageInput& input, const TracerSource& tracer);

} // namespace pygc::analysis
