// Whether this machine's debug registers do what a debugger relies on: some virtual machines take
// them and never stop.
#pragma once

#include <string>

namespace pygc::machine {

struct WatchpointProbe {
  bool fires = false;
  std::string reason = {}; // why not; empty when they fire
};

/// Has a child of our own write to a watched word: takes about a millisecond, changes nothing else.
WatchpointProbe probe_hardware_watchpoints();

} // namespace pygc::machine
