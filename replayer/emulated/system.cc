#include "replayer/shared/system.h"

#include "common/replay/protocol/replayer_protocol.h"

#include <cerrno>
#include <unistd.h>

namespace pygc::replayer::system {

using replay::protocol::control_fd;

std::int64_t receive(msghdr& message) {
  return ::recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC);
}

std::int64_t read(void* to, std::size_t size) {
  return ::read(control_fd, to, size);
}

bool write(const void* from, std::size_t size) {
  return ::write(control_fd, from, size) == static_cast<ssize_t>(size);
}

void close(int fd) {
  ::close(fd);
}

std::int64_t call(std::int64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                  std::uint64_t d) {
  const long result = ::syscall(number, a, b, c, d);
  return result < 0 ? -errno : result;
}

void end(int status) {
  ::_exit(status);
}

} // namespace pygc::replayer::system
