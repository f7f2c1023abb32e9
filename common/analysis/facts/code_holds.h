// Objects that variables of running C functions hold, and which of them are garbage.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/heap/collected_set.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pygc::analysis {

/// A parameter or variable whose location (DWARF, at the place where the function is) is a register
/// or memory of its frame. Words of a stack that no such variable tells about count for nothing:
/// most are stale.
struct CodeHold {
  std::uint64_t tid = 0;
  Address pc = 0;
  std::string function; // which may have been inlined
  std::string variable;
};

/// Threads whose C functions are looked at, the first ones: unwinding takes its time.
inline constexpr std::size_t code_thread_limit = 64;

/// By object. Only of tracked objects, of functions whose debug information is there.
using CodeHolds = std::map<Address, std::vector<CodeHold>>;
CodeHolds find_code_holds(const CheckInput& input);

/// An object that the next full collection would free, and that a C function uses.
struct GarbageInUse {
  std::int64_t interpreter = 0; // id
  Address object = 0;
  std::vector<CodeHold> holds;
};

/// Those of an interpreter's collected objects that are held, have a gc_refs of 0, and are not
/// reached from a root; what frames of Python functions refer to counts as a root. Errors:
/// replayer, cancelled, limit.
Result<std::vector<GarbageInUse>>
find_garbage_in_use(const CheckInput& input, std::int64_t interpreter, const CodeHolds& holds,
                    const std::set<Address>& frame_roots, const heap::CollectedSet& set,
                    const replay::RoundResult& result, std::span<const Address> stale);

} // namespace pygc::analysis
