// What the next collection would find unreachable, and what it would do with it.
#pragma once

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/left_garbage.h"
#include "common/analysis/facts/generation_survey.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

/// What becomes of an unreachable object.
enum class Fate : std::uint8_t {
  freed,         // unless a finalizer brings it back: none is run here
  uncollectable, // has a legacy finalizer (tp_del) or is visited from one: gc.garbage keeps it
  stays,         // in a cycle that tp_clear leaves, or held by one; as sure as LeftGarbage is
  unknown,       // freed, or not: its tp_clear or that of what holds it was not run to its end
};
/// "freed", "uncollectable", "stays", "unknown".
std::string_view fate_name(Fate fate);

struct GarbageObject {
  Address address = 0;
  std::uint64_t refcount = 0;
  std::uint32_t type = 0; // index into Garbage::types
  /// Those of one number visit each other in a cycle; nothing: no cycle, held by one.
  std::optional<std::uint32_t> cycle;
  Fate fate = Fate::freed;
};

/// Cycles (strongly connected components) of the same types.
struct CycleGroup {
  std::uint64_t cycles = 0;
  std::uint64_t size = 0;       // objects of each
  std::vector<TypeCount> types; // of each, the most frequent first
  Address example = 0;          // an object of the first
};

struct InterpreterGarbage {
  std::int64_t id = 0;
  bool enabled = false;
  std::vector<GenerationRow> generations; // counts and thresholds alone
  std::uint64_t collected = 0;            // objects that the collection would take
  std::uint64_t immortal = 0;             // objects of its lists that it would not
  std::vector<GarbageObject> objects;     // unreachable, in the collector's order
  std::vector<CycleGroup> cycles;         // the most objects first
  std::uint64_t outside_cycles = 0;       // objects
  std::vector<TypeCount> by_type;         // the most frequent first
  std::vector<TypeCount> finalizers;      // whose tp_finalize (__del__) would be called
  std::uint64_t callbacks = 0;            // of weak references that would be called
  std::uint64_t legacy_finalizers = 0;    // objects
  std::uint64_t uncollectable = 0;        // objects
  LeftGarbage left;                       // what stays after the collection, and after each one
};

struct Garbage {
  std::vector<InterpreterGarbage> interpreters;
  std::vector<std::string> types; // tp_name
  std::vector<std::string> incomplete_because;
};

struct GarbageInput {
  const image::ProcessImage& image;
  cpython::ObjectReader& reader;
  const heap::Heap& heap;
  replay::Replayer& replayer;
  TracerSource tracer; // for tp_clear; asked for only where there are cycles
  std::size_t most_cleared = max_cleared;
};

/// Mirrors deduce_unreachable, move_legacy_finalizers, handle_weakrefs, finalize_garbage and
/// delete_garbage (Modules/gcmodule.c, Python/gc.c), without running any code but traverse
/// functions and, in the emulator, tp_clear. Of `generation` and the younger ones, or of all.
/// Errors as replay_collection().
Result<Garbage> find_garbage(const GarbageInput& input, std::optional<std::size_t> generation);

} // namespace pygc::analysis
