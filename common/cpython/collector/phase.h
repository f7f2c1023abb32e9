// The phases of a collection, by the collector's functions (Python/gc.c, Modules/gcmodule.c).
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
};

/// The collector's function; empty for unknown.
std::string_view phase_name(Phase phase);
/// unknown for a function that is none.
Phase phase_named(std::string_view function);

} // namespace pygc::cpython
