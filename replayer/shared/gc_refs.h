// The word _gc_prev while a collection is replayed, as update_refs and subtract_refs of CPython's
// Modules/gcmodule.c (Python/gc.c) use it.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replayer {

/// What update_refs makes of it.
constexpr std::uint64_t gc_prev_with(std::uint64_t prev, std::uint64_t refcount) {
  return (prev & replay::protocol::finalized_bit) | replay::protocol::collecting_bit |
         ((refcount + replay::protocol::gc_refs_bias) << replay::protocol::gc_refs_shift);
}

/// What is left of the references then.
constexpr std::int64_t gc_refs_of(std::uint64_t prev) {
  return static_cast<std::int64_t>((prev >> replay::protocol::gc_refs_shift) -
                                   replay::protocol::gc_refs_bias);
}

} // namespace pygc::replayer
