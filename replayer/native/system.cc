#include "replayer/shared/system.h"

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/native/machine.h"

#include <sys/syscall.h>

namespace pygc::replayer::system {

using replay::protocol::control_fd;

std::int64_t receive(msghdr& message) {
  return machine::syscall(SYS_recvmsg, control_fd, reinterpret_cast<std::uint64_t>(&message),
                          MSG_CMSG_CLOEXEC);
}

std::int64_t read(void* to, std::size_t size) {
  return machine::syscall(SYS_read, control_fd, reinterpret_cast<std::uint64_t>(to), size);
}

bool write(const void* from, std::size_t size) {
  return machine::syscall(SYS_write, control_fd, reinterpret_cast<std::uint64_t>(from), size) ==
         static_cast<std::int64_t>(size);
}

void close(int fd) {
  machine::syscall(SYS_close, static_cast<std::uint64_t>(fd));
}

std::int64_t call(std::int64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                  std::uint64_t d) {
  return machine::syscall(number, a, b, c, d);
}

void end(int status) {
  machine::exit_process(status);
}

} // namespace pygc::replayer::system
