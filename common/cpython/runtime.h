// The CPython in a target: its _PyRuntime, its version and layout, its interpreters and the lists
// of their collectors.
#pragma once

#include "common/base/error.h"
#include "common/cpython/layout.h"
#include "common/cpython/version.h"
#include "common/image/module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::cpython {

/// One list of GC objects: a generation, or the permanent one that gc.freeze() fills.
struct Generation {
  std::string name; // "0", "1", "2", "young", "old0", "old1", "permanent"
  Address head = 0; // of its PyGC_Head; _gc_next of an empty list points to itself
  std::int64_t count = 0;
  std::int64_t threshold = 0;
  bool permanent = false;
  bool on_stack = false; // a list of the running collection: its head is the collector's variable
};

/// Mirrors PyInterpreterState as far as the collector needs it.
struct Interpreter {
  Address address = 0;
  std::int64_t id = 0;
  Address gc_state = 0; // struct _gc_runtime_state; up to 3.8 it lies in _PyRuntime
  bool enabled = false;
  bool collecting = false;
  bool finalizing = false;
  std::vector<Generation> generations; // youngest first, the permanent one last
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

  /// What update_refs copies into gc_refs (Python/gc.c, Modules/gcmodule.c).
  std::uint64_t refcount(std::uint64_t ob_refcnt) const {
    return layout.ob_refcnt_full ? ob_refcnt & 0xffffffffU : ob_refcnt;
  }
  /// True for an object that update_refs leaves out of the collection.
  bool is_immortal(std::uint64_t ob_refcnt) const {
    return immortal_objects && static_cast<std::int32_t>(ob_refcnt) < 0;
  }
};

/// Finds every initialised CPython of the target; `tables` is the directory of the layout tables.
/// Errors: not_python, no_runtime, unsupported, build_id_mismatch or not_found (of the executable),
/// corrupt when no layout is proven by the target.
Result<std::vector<Runtime>> find_runtimes(const image::ProcessImage& image,
                                           const std::string& tables);

} // namespace pygc::cpython
