// A thread of a target, as cores and debuggers describe it.
#pragma once

#include "common/base/error.h"
#include "common/machine/machine.h"

#include <array>
#include <cstdint>

namespace pygc::machine {

struct Thread {
  std::uint64_t tid = 0;
  /// General registers by DWARF number.
  std::array<std::uint64_t, dwarf_register_count> registers{};
  Address pc = 0;
  Address sp = 0;
  Address thread_pointer = 0; // what thread-local storage is addressed by
  int signal = 0;             // the signal that stopped it, 0 if none
};

} // namespace pygc::machine
