#include "replayer/shared/packet.h"

namespace pygc::replayer {

namespace protocol = replay::protocol;

void broken_protocol() {
  system::end(protocol::exit_protocol);
}

void Packet::receive() {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(files_))> control;
  iovec part{bytes_.data(), bytes_.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const std::int64_t size = system::receive(message);
  if (size <= 0) {
    system::end(protocol::exit_done);
  }
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    broken_protocol();
  }
  size_ = static_cast<std::size_t>(size);
  file_count_ = 0;
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    file_count_ = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(files_.data(), CMSG_DATA(header), file_count_ * sizeof(int));
  }
}

void send_reply(const protocol::Reply& reply) {
  if (!system::write(&reply, sizeof(reply))) {
    system::end(protocol::exit_done);
  }
}

} // namespace pygc::replayer
