// What a replayer takes from its control socket: packets of any bytes, through set-up, regions,
// lock-in and commands.
#include "replayer/shared/conversation.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>

namespace pygc::replayer {
namespace {

struct Ended {};

fuzz::Input* input = nullptr; // of this run

/// The next packet: its length in two bytes, then its bytes.
std::span<const std::uint8_t> next_packet() {
  return input->empty() ? std::span<const std::uint8_t>()
                        : input->take(input->take<std::uint16_t>() % 0x8000U);
}

/// Holds what a replayer relies on.
class Checker {
public:
  LockResult set_up(const replay::protocol::Setup& setup, int fd) {
    fuzz::must(fd >= 0 && setup.window_size != 0 &&
               setup.window_size <= replay::protocol::max_window_size);
    return {};
  }
  bool map(const replay::protocol::RegionRecord& region, int fd) {
    fuzz::must(region.start < region.end && region.start >= end_);
    fuzz::must((fd >= 0) == (region.source != replay::protocol::Source::zero));
    fuzz::must(region.end <= replay::protocol::own_start ||
               region.start >= replay::protocol::own_end);
    end_ = region.end;
    return region.protection != 0;
  }
  void release(int fd) { fuzz::must(fd >= 0); }
  bool answer(const Packet& packet, std::uint64_t& failed) {
    if (!packet.is<replay::protocol::Walk>(replay::protocol::Kind::walk)) {
      return false;
    }
    static_cast<void>(packet.get<replay::protocol::Walk>());
    ++failed;
    return true;
  }
  LockResult lock(std::uint64_t&) { return {}; }
  replay::protocol::Command& command() { return command_; }
  replay::protocol::Reply carry_out() {
    fuzz::must(command_.watched_count <= replay::protocol::max_watched);
    return {};
  }

private:
  std::uint64_t end_ = 0;
  replay::protocol::Command command_;
};

} // namespace

namespace system {

std::int64_t receive(msghdr& message) {
  const auto packet = next_packet();
  iovec& part = message.msg_iov[0];
  const std::size_t size = std::min(part.iov_len, packet.size());
  std::copy_n(packet.data(), size, static_cast<std::uint8_t*>(part.iov_base));
  message.msg_flags = packet.size() > part.iov_len ? MSG_TRUNC : 0;
  // As the kernel hands descriptors over: no more than there is room for.
  const std::size_t files =
      input->take<std::uint8_t>() % (replay::protocol::max_files_per_packet + 1);
  if (files == 0) {
    message.msg_controllen = 0;
    return static_cast<std::int64_t>(size);
  }
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(files * sizeof(int));
  for (std::size_t i = 0; i < files; ++i) {
    const int fd = static_cast<int>(i) + 10;
    std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
  }
  return static_cast<std::int64_t>(size);
}
std::int64_t read(void* to, std::size_t size) {
  const auto packet = next_packet();
  const std::size_t taken = std::min(size, packet.size());
  std::copy_n(packet.data(), taken, static_cast<std::uint8_t*>(to));
  return static_cast<std::int64_t>(taken);
}
bool write(const void*, std::size_t) {
  return true;
}
void close(int) {}
std::int64_t call(std::int64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  return 0;
}
void end(int) {
  throw Ended();
}

} // namespace system
} // namespace pygc::replayer

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  fuzz::Input input(data, size);
  replayer::input = &input;
  replayer::Packet packet;
  replayer::Checker checker;
  try {
    replayer::Conversation(checker, packet).run();
  } catch (const replayer::Ended&) {
  }
  return 0;
}
