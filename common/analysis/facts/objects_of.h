// The tracked objects whose types have a flag.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/cpython/type_flag.h"

namespace pygc::analysis {

/// Calls `each` with the space and the index of every object with a usable type that has the flag.
template <class Each>
void each_object_of(const CheckInput& input, unsigned flag, const Each& each) {
  Address last_type = 0;
  bool wanted = false;
  for (const heap::SpaceRange& space : input.heap.spaces) {
    for (std::size_t i = space.first; i < space.first + space.count; ++i) {
      const heap::HeapIndex index(i);
      if (const Address type = input.heap.types[index]; type != last_type) {
        last_type = type;
        wanted = input.heap.usable[index] && input.reader.type(type).has_flag(flag);
      }
      if (wanted) {
        each(space, index);
      }
    }
  }
}

} // namespace pygc::analysis
