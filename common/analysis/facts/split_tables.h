// Dicts whose ma_values is no array of values.
#pragma once

#include "common/analysis/facts/input.h"

#include <cstdint>
#include <vector>

namespace pygc::analysis {

struct BrokenSplitTable {
  std::int64_t interpreter = 0; // id
  Address object = 0;
  Address values = 0;      // its ma_values
  bool unreadable = false; // no memory is there; else it is not aligned
  bool kind_known = false; // its keys are of a combined table; else the layout knows no dk_kind
};

/// Tracked dicts with a ma_values that is not aligned or leads to no memory, but for those whose
/// keys are of a split table, for which their traversal fails. For the others it does not look
/// there, but _PyDict_MaybeUntrack does, by _PyDict_HasSplitTable (Objects/dictobject.c, to 3.13).
std::vector<BrokenSplitTable> find_broken_split_tables(const CheckInput& input);

} // namespace pygc::analysis
