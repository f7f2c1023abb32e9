// What each object of a collection keeps alive: what would be freed with it.
#pragma once

#include "common/analysis/explore/collection.h"
#include "common/heap/dominators.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::analysis {

/// Indices of nodes are those of the collection's set.
struct Retention {
  heap::DominatorTree tree;
  std::vector<std::uint64_t> bytes;   // by node: of itself and all that it dominates
  std::vector<std::uint32_t> objects; // by node: itself and all that it dominates
};

/// Dominators of what is reachable from the objects that have a gc_refs. Those that are unreachable
/// are a tree of their own, whose roots are the objects of each cycle that no other garbage visits.
/// Objects that the collector does not track are in none: what they hold counts as held from
/// outside. `sizes`: by node.
Retention find_retention(const Collection& collection, std::span<const std::uint64_t> sizes);

} // namespace pygc::analysis
