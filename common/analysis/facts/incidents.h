// Traversals that did not come to their end, grouped; and how check and audit put what a traversal
// did besides visiting.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/cpython/collector/fatal_functions.h"
#include "common/heap/collected_set.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

/// Traversals by one function that ended in the same way at the same place, or do not end.
struct IncidentGroup {
  Address function = 0;   // the traverse function
  Address container = 0;  // of the first one
  replay::Incident first; // `container` is an index into the set
  std::uint64_t count = 1;
  /// An extension's function has called one of the interpreter, and ends there.
  bool calls_interpreter = false;
  /// Why the memory that was accessed is not to be had, if that is the reason: the target is not
  /// to blame.
  std::optional<std::string> missing_memory;
  /// What ended it, when it gave up by itself.
  std::optional<cpython::FatalCall> fatal_call;
};

/// Objects that were not traversed because others of their function did not come to an end.
struct SkippedObjects {
  Address function = 0;
  std::uint64_t count = 0;
};

struct IncidentSummary {
  std::vector<IncidentGroup> groups;            // by outcome, function and place
  std::map<Address, std::uint64_t> unsupported; // traversals, by the instruction the engine lacks
  std::vector<SkippedObjects> skipped;          // one a function
  std::uint64_t further = 0;                    // incidents that were not looked at
};

/// `incidents` are those of a replay of the set.
IncidentSummary summarize_incidents(const CheckInput& input, const heap::CollectedSet& set,
                                    std::span<const replay::Incident> incidents);

/// Whether the traversal has used up the stack that the replayer gives it, 8 MiB.
bool has_no_stack_left(const replay::Incident& incident);

/// Why the memory at an address is not to be had; nothing when it is there, or never was.
std::optional<std::string> missing_memory(const image::ProcessImage& image, Address address);

/// The instruction that is to be named: of a call that does not return what lies behind it may be
/// another function.
Address place_of(const replay::Incident& incident);

/// How a traversal ended, to follow the name of its function: "faults in f+0x4, accessing 0x10".
/// `place` names place_of(incident); `fatal_call` is what ended it by itself.
std::string describe_incident(const replay::Incident& incident, std::string_view place,
                              const std::optional<cpython::FatalCall>& fatal_call = {});

/// A write that lasts, likewise: "writes to memory at 0x7f..., in f+0x4".
std::string describe_write(Address address, std::string_view place);

/// "changes the reference count of <C object> at 0x7f..., in f+0x4".
std::string describe_count_change(std::string_view object, Address address, std::string_view place);

} // namespace pygc::analysis
