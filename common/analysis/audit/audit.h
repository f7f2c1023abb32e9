// Every traverse function that has instances, against the rules of the C API (Doc/c-api/gcsupport,
// "Supporting Cyclic Garbage Collection"), with proof from memory.
#pragma once

#include "common/analysis/count_diff.h"
#include "common/analysis/facts/input.h"
#include "common/analysis/finding.h"
#include "common/base/slot_address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

enum class Rule : std::uint8_t {
  type_not_visited,  // an instance of a heap type does not visit its type (3.9+)
  field_not_visited, // a field holds a reference to a collected object and is not visited
  unowned_visit,     // a slot of the runtime, an interpreter or static storage is visited
  duplicate_visit,   // one slot is visited more than once
  writes,            // memory is changed for good
  refcount_change,   // so is a reference count
  allocates,         // memory is allocated
  faults,            // a fault, an illegal instruction or a trap
  system_call,
  timeout,
};
std::string_view rule_name(Rule rule);

struct Violation {
  Rule rule = Rule::writes;
  bool proven = true;             // else it is only likely
  ObjectView object;              // a container that shows it
  std::uint64_t instances = 1;    // traced containers that show it
  std::string type;               // the type concerned, where a function serves several
  std::vector<std::string> types; // names of all types concerned, each once
  std::uint64_t type_count = 1;   // of types, whatever their names
  std::optional<SlotAddress> slot;
  std::string slot_name;
  Owner owner = Owner::unknown; // of the slot
  std::optional<Address> pc;
  std::string message;
  std::vector<std::string> next; // commands of pygc that show more
};

struct AuditedFunction {
  Address address = 0;
  std::string name;               // symbol, or image+offset
  bool of_module = false;         // m_traverse, else tp_traverse
  std::string library;            // the file that holds it
  std::string module;             // the extension module in that file; empty: the interpreter's own
  std::vector<std::string> types; // whose tp_traverse it is; the modules' names for m_traverse
  std::uint64_t instances = 0;    // traced
  std::vector<Violation> violations;
};

struct AuditReport {
  std::vector<AuditedFunction> functions; // by library, then name
  std::uint64_t traced = 0;
  std::vector<std::string> incomplete_because;
  std::vector<std::string> notes;
};

/// input.tracer must be there. Errors: cancelled, replayer, limit.
Result<AuditReport> audit(const CheckInput& input);

/// 1 for each "node_traverse: field_not_visited +0x18 of the container (likely)": how many
/// containers show it depends on which were traced.
Counts count_violations(const AuditReport& report);

} // namespace pygc::analysis
