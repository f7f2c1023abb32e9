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
};

/// Tracked tuples with an item that is NULL, to which there are more references than their maker's
/// one: somebody else can read them.
std::vector<UnfinishedTuple> find_unfinished_tuples(const CheckInput& input);

} // namespace pygc::analysis
