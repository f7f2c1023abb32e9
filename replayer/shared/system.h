// What the shared code needs of the system, which each replayer asks in its own way: the native one
// has no C library. Each supplies these in its system.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/socket.h>

namespace pygc::replayer::system {

/// From the control socket: bytes, 0 at its end, below 0 on an error.
std::int64_t receive(msghdr& message);
std::int64_t read(void* to, std::size_t size);
/// To the control socket. False: the analysis is gone.
bool write(const void* from, std::size_t size);

void close(int fd);

/// Any call of the kernel's (SYS_*): its result, or the negative errno.
std::int64_t call(std::int64_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                  std::uint64_t c = 0, std::uint64_t d = 0);

[[noreturn]] void end(int status);

} // namespace pygc::replayer::system
