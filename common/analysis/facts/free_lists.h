// Free lists of the interpreters that a collection would stumble over.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/cpython/collector/free_lists.h"

#include <cstdint>
#include <vector>

namespace pygc::analysis {

struct FreeListFact {
  std::int64_t interpreter = 0; // id
  cpython::BrokenFreeList list;
};

/// None where the layout of the free lists is not known.
std::vector<FreeListFact> find_broken_free_lists(const CheckInput& input);

} // namespace pygc::analysis
