// Accesses of the target's code to memory that it may not access, as the processor finds them while
// the emulator carries them out. The page is made accessible for the moment, so that the emulator
// comes to the end of the instruction and notices that it is to stop; afterwards all is as before.
#pragma once

#include "replayer/emulated/guest_memory.h"

#include <cstdint>

namespace pygc::replayer {

/// Told of the first wrong access, from a signal handler: to note it and stop the emulator.
class FaultListener {
public:
  virtual void memory_fault(std::uint64_t address, bool write_protected) = 0;

protected:
  ~FaultListener() = default;
};

/// Installs the handlers; `memory` must stay. False: the system refuses.
bool install_fault_guard(GuestMemory& memory);

/// While it exists faults in the target's memory are the listener's; otherwise they end the
/// process.
class FaultScope {
public:
  explicit FaultScope(FaultListener& listener);
  FaultScope(const FaultScope&) = delete;
  FaultScope& operator=(const FaultScope&) = delete;
  /// Takes back what was made accessible.
  ~FaultScope();
};

} // namespace pygc::replayer
