// Objects that the collector does not know of and that hold others: of types without a traverse
// function.
#pragma once

#include "common/analysis/explore/words.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"

#include <cstdint>
#include <optional>
#include <unordered_set>

namespace pygc::analysis {

struct Holder {
  Address object = 0;
  Address type = 0;
  std::uint64_t refcount = 0;
  std::uint64_t offset = 0; // of the pointer, in the object
};

class HolderSearch {
public:
  HolderSearch(cpython::ObjectReader& reader, const heap::Heap& heap);

  /// The object without GC that the word lies in, as a field within its tp_basicsize: what looks
  /// like its header is one (a type whose own type is one of the heap's metatypes, a reference
  /// count of a live object).
  std::optional<Holder> holder_of(Address word);

private:
  std::optional<Holder> object_at(Address object, std::uint64_t offset);

  cpython::ObjectReader& reader_;
  std::unordered_set<Address> metatypes_;
};

} // namespace pygc::analysis
