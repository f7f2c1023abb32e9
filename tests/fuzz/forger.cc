// In the place of a replayer: answers each packet with a reply that the input has altered, and
// alters words of the window. The input is the file that the process which started it has open as
// PYGC_FORGER_INPUT.
#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace pygc::replay::protocol;

class Input {
public:
  Input() {
    const std::string path =
        "/proc/" + std::to_string(::getppid()) + "/fd/" + std::to_string(PYGC_FORGER_INPUT);
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = ::pread(fd, bytes_.data(), bytes_.size(), 0);
    size_ = size > 0 ? static_cast<std::size_t>(size) : 0;
  }

  template <class T> T take() {
    T value{};
    const std::size_t size = std::min(sizeof value, size_ - at_);
    std::memcpy(&value, bytes_.data() + at_, size);
    at_ += size;
    return value;
  }
  bool empty() const { return at_ == size_; }

private:
  std::array<char, 4096> bytes_{};
  std::size_t size_ = 0;
  std::size_t at_ = 0;
};

/// The size of the packet, 0 at the end; the first descriptor that comes along, or -1.
std::size_t receive(int& fd) {
  static std::array<char, 1 << 16> bytes;
  alignas(cmsghdr) std::array<char, 1024> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(control_fd, &message, 0);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (size > 0 && header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  }
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

template <class T> std::size_t words_of(const T&) {
  return sizeof(T) / sizeof(std::uint64_t);
}

} // namespace

int main() {
  Input input;
  int window = -1;
  if (receive(window) == 0) {
    return exit_protocol;
  }
  constexpr std::size_t altered = std::size_t{1} << 16; // of the window: its first arrays
  void* mapped = ::mmap(nullptr, altered, PROT_READ | PROT_WRITE, MAP_SHARED, window, 0);
  auto* words = mapped == MAP_FAILED ? nullptr : static_cast<std::uint64_t*>(mapped);
  for (;;) {
    Reply reply;
    for (auto patches = input.take<std::uint8_t>() % 4U; patches > 0; --patches) {
      const auto place = input.take<std::uint16_t>();
      const auto value = input.take<std::uint64_t>() >> (input.take<std::uint8_t>() % 64U);
      if (place % 2 == 0) {
        std::memcpy(reinterpret_cast<char*>(&reply) + place / 2 % words_of(reply) * sizeof value,
                    &value, sizeof value);
      } else if (words != nullptr) {
        words[place / 2 % (altered / sizeof value)] = value;
      }
    }
    if (::write(control_fd, &reply, sizeof reply) < 0) {
      return exit_done;
    }
    int unused = -1;
    if (input.empty() || receive(unused) == 0) {
      return exit_done;
    }
    if (unused >= 0) {
      ::close(unused);
    }
  }
}
