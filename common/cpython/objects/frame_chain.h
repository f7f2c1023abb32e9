// What the frames of all versions have in common: an interpreter has threads, a frame a caller.
#pragma once

#include "common/cpython/layout.h"
#include "common/cpython/type_proof.h"
#include "common/image/address_space.h"

#include <cstddef>
#include <unordered_set>

namespace pygc::cpython {

/// Calls take(thread) for each thread of a list, whose first one this is (PyThreadState.next).
template <class Take>
void each_thread(const image::AddressSpace& memory, Address thread, Layout::Offset next,
                 const Take& take) {
  constexpr std::size_t limit = 65536;
  for (std::size_t i = 0; i < limit && is_plausible(thread); ++i) {
    take(thread);
    thread = memory.load<Address>(thread + next).value_or(0);
  }
}

/// Calls take(frame) from the innermost outward, until that gives false or the chain comes back.
/// `caller`: where a frame refers to that of its caller.
template <class Take>
void each_frame(const image::AddressSpace& memory, Address frame, Layout::Offset caller,
                const Take& take) {
  constexpr std::size_t limit = std::size_t{1} << 20;
  std::unordered_set<Address> seen;
  while (is_plausible(frame) && seen.size() < limit && seen.insert(frame).second && take(frame)) {
    frame = memory.load<Address>(frame + caller).value_or(0);
  }
}

} // namespace pygc::cpython
