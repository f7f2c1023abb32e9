#include "common/cpython/collector/phase.h"

#include <array>
#include <utility>

namespace pygc::cpython {
namespace {

constexpr std::array<std::string_view, 13> names = {
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
};
static_assert(names.size() == static_cast<std::size_t>(Phase::invoke_gc_callback) + 1);

} // namespace

std::string_view phase_name(Phase phase) {
  return names.at(std::to_underlying(phase));
}

Phase phase_named(std::string_view function) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == function) {
      return static_cast<Phase>(i);
    }
  }
  return Phase::unknown;
}

} // namespace pygc::cpython
