// The memory of some containers: a word in it that equals an object's address is the reference that
// the container visits.
#pragma once

#include "common/cpython/objects/object_size.h"

#include <span>
#include <vector>

namespace pygc::analysis {

class ContainerMemory {
public:
  ContainerMemory(cpython::ObjectReader& reader, std::span<const Address> containers);

  /// Whether it lies in one of the containers, or in the items, keys or table that one has.
  bool contains(Address at) const;

private:
  struct Part {
    Address start = 0;
    Address end = 0;
  };
  std::vector<Part> parts_; // ascending
};

} // namespace pygc::analysis
