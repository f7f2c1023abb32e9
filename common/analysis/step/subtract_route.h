// The way to a container by instruction breakpoints: which place that the process passes on its way
// is passed the fewest times.
#pragma once

#include "common/base/error.h"

#include <cstdint>
#include <span>

namespace pygc::analysis {

/// From where to where, in containers.
struct RouteRequest {
  std::span<const Address> functions; // what traverses each container; 0: not known
  std::uint32_t next_call = 0;        // the first container that the loop has still to call for
  std::uint32_t next_entry = 0;       // the first one whose function has still to be entered
  std::uint32_t to = 0;               // the container to get to
  bool before = false;                // to the call of its function, not only into it
};

/// One stop on the way.
struct Hop {
  Address function = 0;     // stop at its entry; 0: at the loop's call
  std::uint64_t passes = 0; // that are let pass before
  std::uint32_t container = 0;
  std::uint64_t left = 0; // stops that the debugger makes from here to the end, about
  bool last = false;      // the container is the one to get to
};

/// The next stop, on the way with the fewest. Nested calls of a function make the process stop
/// earlier, never later.
Hop next_hop(const RouteRequest& request);

} // namespace pygc::analysis
