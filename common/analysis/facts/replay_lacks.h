// What makes an answer incomplete that rests on the lists of a heap and on traversals of its
// objects.
#pragma once

#include "common/replay/replay.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pygc::analysis {

struct ReplayLacks {
  std::uint64_t damaged = 0;       // places on the collector's lists, of heap::Heap::corruptions
  std::uint64_t not_traversed = 0; // traversals that did not come to their end
  std::uint64_t unknown = 0;       // objects whose gc_refs cannot be told

  /// A round over so many objects.
  void add(std::size_t objects, std::uint64_t traversed, std::uint64_t without_gc_refs);
  void add(std::size_t objects, const replay::RoundResult& round) {
    add(objects, round.traversed, round.unknown.size());
  }
  /// One for each that is not zero.
  std::vector<std::string> sentences() const;
};

} // namespace pygc::analysis
