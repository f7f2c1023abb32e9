// A CPython in a target: its _PyRuntime, its version and layout, its interpreters and the spaces of
// their collectors.
#pragma once

#include "common/base/error.h"
#include "common/cpython/layout.h"
#include "common/cpython/refcount.h"
#include "common/cpython/version.h"
#include "common/image/module.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::cpython {

enum class SpaceKind : std::uint8_t {
  collected, // a generation; the heaps of a thread, or those that ended threads have left
  permanent, // what gc.freeze() has put aside: never collected
  running,   // of the collection that is under way, whose own variables hold it
};

/// Objects that the collector keeps together.
struct Space {
  SpaceKind kind = SpaceKind::collected;
  // "0", "1", "2", "young", "old0", "old1", "permanent", "stack", "thread 123", "abandoned"
  std::string name;
  // Of a list: its PyGC_Head; _gc_next of an empty one points to itself. Free-threaded: the
  // PyThreadState, or the pool of abandoned segments.
  Address head = 0;
  std::int64_t count = 0; // of a thread: allocations that it has not told yet
  std::int64_t threshold = 0;
};

/// When a free-threaded build collects all of its objects (gc_should_collect,
/// Python/gc_free_threading.c).
struct CollectionCounts {
  std::int64_t count = 0; // of allocations since the last collection, as far as threads told
  std::int64_t threshold = 0;
  std::int64_t long_lived = 0; // objects that were left by the last collection
};

/// Mirrors PyInterpreterState as far as the collector needs it.
struct Interpreter {
  Address address = 0;
  std::int64_t id = 0;
  Address gc_state = 0; // struct _gc_runtime_state; up to 3.8 it lies in _PyRuntime
  bool enabled = false;
  bool collecting = false;
  bool finalizing = false;
  std::vector<Space> spaces; // youngest first, the permanent one, those of a running collection
  std::optional<CollectionCounts> counts; // that no space has
};

struct Runtime {
  const image::Module* module = nullptr; // the image that holds _PyRuntime
  Address address = 0;
  Version version;
  Layout layout;
  LayoutSource layout_source = LayoutSource::dwarf;
  std::string layout_detail;     // the table's name, or the file with the DWARF
  bool immortal_objects = false; // 3.12+: an int32 of ob_refcnt below 0 keeps an object out
  Address visit_decref = 0;      // the collector's visitor; 0: not found
  std::vector<Interpreter> interpreters;

  /// What update_refs copies into gc_refs (Python/gc.c, Modules/gcmodule.c). `stored` is what
  /// load_refcount() gives, as below.
  std::uint64_t refcount(std::uint64_t stored) const {
    return layout.ob_refcnt_full ? stored & 0xffffffffU : stored;
  }
  /// True for an object that update_refs leaves out of the collection.
  bool is_immortal(std::uint64_t stored) const {
    return layout.free_threaded ? stored == immortal_refcount
                                : immortal_objects && static_cast<std::int32_t>(stored) < 0;
  }
};

} // namespace pygc::cpython
