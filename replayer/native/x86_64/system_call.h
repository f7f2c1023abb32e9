// A system call of x86-64 Linux.
#pragma once

#include <cstdint>

namespace pygc::replayer::machine {

inline std::int64_t syscall(std::int64_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                            std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0,
                            std::uint64_t f = 0) {
  register std::uint64_t r10 asm("r10") = d;
  register std::uint64_t r8 asm("r8") = e;
  register std::uint64_t r9 asm("r9") = f;
  std::int64_t result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

} // namespace pygc::replayer::machine
