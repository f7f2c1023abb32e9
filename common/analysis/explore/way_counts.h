// What has changed between two heaps in the ways by which objects are held.
#pragma once

#include "common/analysis/explore/why.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::analysis {

struct WayChange {
  std::string way; // "dict of module 'app' ['CACHE'] list [*] Session"
  std::uint64_t old_objects = 0;
  std::uint64_t new_objects = 0;
  bool operator==(const WayChange&) const = default;
};

/// A merged path in words that are the same in another process: names and types, no addresses and
/// no numbers of items.
std::string way_of(const WhyPath& path);

/// Of two answers with merged paths (WhyQuestion::merge); the largest growth first, ways with the
/// same number left out.
std::vector<WayChange> compare_ways(const Why& old_heap, const Why& new_heap);

} // namespace pygc::analysis
