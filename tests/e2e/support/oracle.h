// The interpreter's own gc_refs of each object, and a core of the moment before it computed them.
#pragma once

#include "tests/e2e/support/interpreter.h"

#include <cstdint>
#include <map>
#include <string>

namespace pygc::e2e {

/// A line of `pygc gc-refs`, and of the oracle.
struct ObjectReferences {
  std::int64_t gc_refs = 0;
  std::int64_t refcount = 0;
  std::string type;
  bool operator==(const ObjectReferences&) const = default;
};

/// By object address.
using References = std::map<std::uint64_t, ObjectReferences>;

/// Reads `0xADDR gc_refs refcount tp_name` lines; throws on any other line.
References read_references(const std::string& path);

struct Oracle {
  Core core;             // at the entry of the collection
  References references; // at the end of its subtract_refs
  /// Tuples and dicts that a free-threaded build's collection has left out on its way, because
  /// nothing in them needs tracking: addresses and types.
  std::map<std::uint64_t, std::string> untracked;
};

/// Runs collect.py with the words under GDB, up to the end of the collection's subtract_refs.
Oracle consult_oracle(const InterpreterBuild& build, const std::vector<std::string>& words);
/// Collects the generation once; `twice` imports faulthandler a second time before.
Oracle consult_oracle(const InterpreterBuild& build, bool twice, int generation);

/// A core from inside a phase of a full collection (update_refs, subtract_refs, move_unreachable)
/// of midway.py's heap.
Core core_in_phase(const InterpreterBuild& build, const std::string& phase);

/// Up to `limit` differences in words, and the number of all.
struct Comparison {
  std::size_t objects = 0;
  std::size_t differences = 0;
  std::size_t not_collected = 0; // given, but not among those that the interpreter collected
  std::string first_ones;
};
Comparison compare(const References& expected, const References& actual, std::size_t limit = 10);

} // namespace pygc::e2e
