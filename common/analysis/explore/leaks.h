// References that nothing accounts for: more than all visits, and more than all words of memory
// that could be one.
#pragma once

#include "common/analysis/count_diff.h"
#include "common/analysis/explore/holders.h"
#include "common/base/error.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/machine/thread.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

enum class LeakKind : std::uint8_t {
  refleak,     // more references than words of memory: somebody took one and lost it
  nogc_holder, // garbage but for references from objects whose type has no traverse function
};
/// "refleak", "nogc_holder".
std::string_view leak_kind_name(LeakKind kind);

struct LeakExample {
  Address object = 0;
  Address holder = 0; // of nogc_holder
};

/// Leaked objects that look alike: the same type and the same counts.
struct LeakGroup {
  LeakKind kind = LeakKind::refleak;
  /// Each reference is accounted for exactly; else further words equal the address, which may be
  /// stale.
  bool proven = true;
  std::string type;
  std::uint64_t objects = 0;
  std::uint64_t references = 0; // that are unaccounted for, or held by holders; of all objects
  // Of each object:
  std::uint64_t refcount = 0;
  std::uint64_t visits = 0;
  std::uint64_t words = 0;
  std::string holder_type; // of nogc_holder
  std::uint64_t holder_offset = 0;
  std::string holder_slot;           // ".peer of Lazy"; empty: the offset is all that is known
  std::vector<LeakExample> examples; // a few
};

struct Leaks {
  std::vector<LeakGroup> groups; // proven ones first, then the most objects first
  std::uint64_t collected = 0;   // objects
  std::uint64_t pinned = 0;      // objects with references that are no visits, which were looked at
  std::uint64_t scanned = 0;     // bytes of memory
  std::vector<std::string> incomplete_because;

  bool proven() const;
};

struct LeakQuestion {
  std::string type = {}; // a pattern (type_matcher.h); empty: all
  const std::vector<machine::Thread>& threads;
  std::function<bool()> cancelled;
};

/// With anything incomplete nothing is called a leak: groups are empty. Errors: replayer,
/// cancelled, limit.
Result<Leaks> find_leaks(const image::ProcessImage& image, cpython::ObjectReader& reader,
                         const heap::Heap& heap, replay::Replayer& replayer,
                         const LeakQuestion& question);

/// "refleak: dict (proven)", "nogc_holder: Program held by nogc_holder.Lazy at +0x10 (proven)".
Counts count_leaks(const Leaks& leaks);

} // namespace pygc::analysis
