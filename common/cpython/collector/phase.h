// The phases of a collection, by the collector's functions (Python/gc.c, Modules/gcmodule.c,
// Python/gc_free_threading.c).
#pragma once

#include <cstdint>
#include <string_view>

namespace pygc::cpython {

/// In the order they run.
enum class Phase : std::uint8_t {
  unknown,
  update_refs,
  subtract_refs,
  move_unreachable,
  move_legacy_finalizers,
  handle_weakrefs,          // up to 3.14
  handle_weakref_callbacks, // 3.15
  clear_weakrefs,
  finalize_garbage,
  handle_resurrected_objects,
  delete_garbage,
  handle_legacy_finalizers,
  invoke_gc_callback,
  // Without a GIL, where update_refs traverses.
  merge_all_queued_objects,
  process_delayed_frees,
  validate_refcounts,
  validate_gc_objects,
  mark_heap_visitor,
  scan_heap_visitor,
  call_weakref_callbacks,
  stop_the_world, // others do that too: a phase only where a collection has called it
  start_the_world,
};

/// The collector's function; empty for unknown.
std::string_view phase_name(Phase phase);
/// unknown for a function that is none; also for those that others call as well.
Phase phase_named(std::string_view function);

} // namespace pygc::cpython
