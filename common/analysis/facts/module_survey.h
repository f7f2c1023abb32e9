// Every module object of the heap, with the definition it shares and the visits of its m_traverse.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/owner.h"
#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

/// One visit of an m_traverse.
struct ModuleVisit {
  Address object = 0;
  std::string summary;
  SlotAddress slot;
  std::string slot_name;
  Owner owner = Owner::unknown;
};

struct ModuleRow {
  cpython::ModuleInfo info;
  std::int64_t interpreter = 0; // id
  std::string file;             // __file__, empty when it has none
  std::string traverse_name;    // of m_traverse
  std::uint64_t refcount = 0;
  std::size_t instances = 1; // modules of this interpreter with the same definition
  bool in_sys_modules = false;
  std::optional<bool> reachable;   // empty when it is not collected (frozen)
  std::vector<ModuleVisit> visits; // of m_traverse, when it runs and the emulator is there
};

/// In the order of the lists. `input.tracer` may be null: then `visits` stay empty.
/// Errors: cancelled, replayer.
Result<std::vector<ModuleRow>> survey_modules(const CheckInput& input);

/// Modules of sys.modules that no collection looks at, because they are immortal: with the first
/// thread a free-threaded build makes so what has deferred counts
/// (_PyGC_ImmortalizeDeferredObjects, Python/gc_free_threading.c). Not in the survey.
std::size_t count_immortal_modules(cpython::ObjectReader& reader);

} // namespace pygc::analysis
