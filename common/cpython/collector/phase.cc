#include "common/cpython/collector/phase.h"

#include <array>
#include <utility>

namespace pygc::cpython {
namespace {

constexpr std::array<std::string_view, 22> names = {
    "",
    "update_refs",
    "subtract_refs",
    "move_unreachable",
    "move_legacy_finalizers",
    "handle_weakrefs",
    "handle_weakref_callbacks",
    "clear_weakrefs",
    "finalize_garbage",
    "handle_resurrected_objects",
    "delete_garbage",
    "handle_legacy_finalizers",
    "invoke_gc_callback",
    "merge_all_queued_objects",
    "process_delayed_frees",
    "validate_refcounts",
    "validate_gc_objects",
    "mark_heap_visitor",
    "scan_heap_visitor",
    "call_weakref_callbacks",
    "stop_the_world",
    "start_the_world",
};
static_assert(names.size() == static_cast<std::size_t>(Phase::start_the_world) + 1);

} // namespace

std::string_view phase_name(Phase phase) {
  return names.at(std::to_underlying(phase));
}

Phase phase_named(std::string_view function) {
  for (std::size_t i = 0; i < std::to_underlying(Phase::stop_the_world); ++i) {
    if (names.at(i) == function) {
      return static_cast<Phase>(i);
    }
  }
  return Phase::unknown;
}

} // namespace pygc::cpython
