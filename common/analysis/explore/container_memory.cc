#include "common/analysis/explore/container_memory.h"

#include <algorithm>

namespace pygc::analysis {

ContainerMemory::ContainerMemory(cpython::ObjectReader& reader,
                                 std::span<const Address> containers) {
  cpython::ObjectSizes sizes(reader);
  for (const Address container : containers) {
    const auto type = reader.type_address(container);
    if (!type) {
      continue;
    }
    const cpython::MemoryParts parts = sizes.parts(container, *type);
    parts_.push_back({.start = parts.own.start, .end = parts.own.start + parts.own.bytes});
    if (parts.body) {
      parts_.push_back({.start = parts.body->start, .end = parts.body->start + parts.body->bytes});
    }
  }
  std::ranges::sort(parts_, {}, &Part::start);
}

bool ContainerMemory::contains(Address at) const {
  const auto behind = std::ranges::upper_bound(parts_, at, {}, &Part::start);
  return behind != parts_.begin() && at < std::prev(behind)->end;
}

} // namespace pygc::analysis
