// Says whether hardware watchpoints fire, as a program of its own: test runs show it, and the
// harness's own test looks at what its programs have.
#include "tests/e2e/support/debug_registers.h"

#include <cstdio>
#include <exception>

int main() {
  try {
    if (pygc::e2e::debug_registers_are_off() && !pygc::e2e::ignore_debug_registers()) {
      std::fputs("debug registers cannot be switched off here\n", stderr);
      return 1;
    }
    std::printf("hardware watchpoints: %s\n", pygc::e2e::hardware_watchpoints_fire()
                                                  ? "fire on this machine"
                                                  : "do not fire on this machine");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hardware watchpoints: %s\n", error.what());
    return 1;
  }
}
