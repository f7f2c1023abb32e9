#include "common/protocol/wire.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

namespace pygc::wire {
namespace {

void put(char* to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i++) {
    to[i] = static_cast<char>(value >> (8 * i));
  }
}

std::uint32_t get(const char* from, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; i++) {
    value |= std::uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
  }
  return value;
}

std::unexpected<Error> system_error(const char* what) {
  return fail(ErrorKind::io, 0, std::string(what) + ": " + std::strerror(errno));
}

union ControlBuffer {
  cmsghdr alignment;
  std::array<char, CMSG_SPACE(max_descriptors * sizeof(int))> bytes;
};

void take_descriptors(msghdr& header, std::vector<UniqueFd>& to) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; i++) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      to.emplace_back(fd);
    }
  }
}

} // namespace

Result<void> Channel::wait_for(short events, const Idle& idle) {
  for (;;) {
    pollfd one{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = ::poll(&one, 1, idle ? idle_milliseconds : -1);
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return system_error("cannot wait for the other side");
    }
    if (idle && !idle()) {
      return fail(ErrorKind::cancelled, 0, "interrupted");
    }
  }
}

Result<void> Channel::send(Type type, std::string_view payload, std::span<const int> descriptors,
                           const Idle& idle) {
  if (payload.size() > max_payload || descriptors.size() > max_descriptors) {
    return fail(ErrorKind::protocol, 0, "a message is too long to send");
  }
  std::array<char, header_size> header{};
  put(header.data(), magic, 4);
  put(header.data() + 4, protocol_version, 2);
  put(header.data() + 6, static_cast<std::uint16_t>(type), 2);
  put(header.data() + 8, payload.size(), 4);
  put(header.data() + 12, descriptors.size(), 4);

  std::string bytes(header.data(), header.size());
  bytes += payload;
  ControlBuffer control{};
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    iovec part{.iov_base = bytes.data() + sent, .iov_len = bytes.size() - sent};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (sent == 0 && !descriptors.empty()) { // they travel with the first byte
      message.msg_control = control.bytes.data();
      message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
      cmsghdr* c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(descriptors.size_bytes());
      std::memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size_bytes());
    }
    const ssize_t n = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      if (auto r = wait_for(POLLOUT, idle); !r) {
        return r;
      }
    } else if (n < 0 && errno != EINTR) {
      return system_error("the other side of the socket is gone");
    }
  }
  return {};
}

Result<std::size_t> Channel::receive_bytes(std::span<char> to, std::vector<UniqueFd>* descriptors,
                                           const Idle& idle) {
  std::size_t got = 0;
  while (got < to.size()) {
    iovec part{.iov_base = to.data() + got, .iov_len = to.size() - got};
    ControlBuffer control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptors != nullptr) {
      message.msg_control = control.bytes.data();
      message.msg_controllen = control.bytes.size();
    }
    const ssize_t n = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n > 0) {
      if (descriptors != nullptr) {
        take_descriptors(message, *descriptors);
      }
      if ((message.msg_flags & MSG_CTRUNC) != 0) {
        return fail(ErrorKind::protocol, 0, "descriptors came where none belong");
      }
      got += static_cast<std::size_t>(n);
    } else if (n == 0 || errno == ECONNRESET) {
      break;
    } else if (errno == EAGAIN) {
      if (auto r = wait_for(POLLIN, idle); !r) {
        return std::unexpected(r.error());
      }
    } else if (errno != EINTR) {
      return system_error("cannot receive from the other side");
    }
  }
  return got;
}

Result<Message> Channel::receive(const Idle& idle) {
  Message message;
  std::array<char, header_size> header{};
  auto got = receive_bytes(header, &message.descriptors, idle);
  if (!got) {
    return std::unexpected(got.error());
  }
  if (*got == 0) {
    return fail(ErrorKind::io, 0, "the other side hung up");
  }
  if (*got < header.size()) {
    return fail(ErrorKind::protocol, 0, "the stream ends inside a header");
  }
  if (get(header.data(), 4) != magic) {
    return fail(ErrorKind::protocol, 0, "what came is not a message of pygc");
  }
  const std::uint32_t version = get(header.data() + 4, 2);
  if (version != protocol_version) {
    return fail(ErrorKind::protocol, 0,
                "the other side speaks version " + std::to_string(version) +
                    " of the protocol, this one version " + std::to_string(protocol_version) +
                    ": plugin and executable are of different releases");
  }
  const std::uint32_t type = get(header.data() + 6, 2);
  if (type == 0 || type > last_type) {
    return fail(ErrorKind::protocol, 0, "a message of unknown type " + std::to_string(type));
  }
  const std::uint32_t length = get(header.data() + 8, 4);
  if (length > max_payload) {
    return fail(ErrorKind::protocol, 0,
                "a message of " + std::to_string(length) + " bytes is longer than allowed");
  }
  if (get(header.data() + 12, 4) != message.descriptors.size()) {
    return fail(ErrorKind::protocol, 0, "a message promises other descriptors than it brings");
  }
  message.type = static_cast<Type>(type);
  message.payload.resize(length);
  got = receive_bytes(message.payload, nullptr, idle);
  if (!got) {
    return std::unexpected(got.error());
  }
  if (*got < length) {
    return fail(ErrorKind::protocol, 0, "the stream ends inside a message");
  }
  return message;
}

bool Channel::wait(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd one{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) {
      return ready > 0;
    }
  }
}

} // namespace pygc::wire
