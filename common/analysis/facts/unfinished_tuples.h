// Tuples that were handed out before they were filled.
#pragma once

#include "common/analysis/facts/input.h"

#include <cstdint>
#include <vector>

namespace pygc::analysis {

struct UnfinishedTuple {
  std::int64_t interpreter = 0; // id
  Address object = 0;
  std::uint64_t size = 0;
  std::uint64_t first_missing = 0; // index of the first item that is NULL
  /// There are more references to it than its maker's one. Else it is handed out only if a
  /// container has that reference.
  bool handed_out = true;
};

/// Tracked tuples with an item that is NULL.
std::vector<UnfinishedTuple> find_unfinished_tuples(const CheckInput& input);

} // namespace pygc::analysis
