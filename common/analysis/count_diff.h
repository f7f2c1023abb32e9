// What was counted in two heaps under the same words, compared.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pygc::analysis {

/// Objects by words that mean the same in another process: names and types, no addresses.
using Counts = std::map<std::string, std::uint64_t>;

struct CountChange {
  std::string what; // a key of Counts
  std::uint64_t old_objects = 0;
  std::uint64_t new_objects = 0;
  bool operator==(const CountChange&) const = default;
};

/// The largest growth first; what has the same number in both is left out.
std::vector<CountChange> compare_counts(const Counts& old_heap, const Counts& new_heap);

} // namespace pygc::analysis
