// The emulated replayer: holds a target's memory, locks itself in, and carries out the analysis'
// commands in the Unicorn emulator until the control socket closes. It links Unicorn (GPL-2), which
// nothing else of pygc does.
#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/engine.h"
#include "replayer/emulated/fault_guard.h"
#include "replayer/emulated/sandbox.h"
#include "replayer/emulated/steps.h"
#include "replayer/emulated/trace_job.h"

#include <array>
#include <cstring>
#include <span>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Kind;

constexpr std::size_t max_packet =
    sizeof(protocol::Map) + protocol::max_regions_per_packet * sizeof(protocol::RegionRecord);

[[noreturn]] void broken_protocol() {
  ::_exit(protocol::exit_protocol);
}

void send_reply(const protocol::Reply& reply) {
  if (::write(protocol::control_fd, &reply, sizeof(reply)) != sizeof(reply)) {
    ::_exit(protocol::exit_done); // the analysis is gone
  }
}

/// One packet with the descriptors that came along.
struct Packet {
  alignas(8) std::array<std::byte, max_packet> bytes;
  std::size_t size = 0;
  std::array<int, protocol::max_files_per_packet> files{};
  std::size_t file_count = 0;

  void receive();
  void close_files() {
    for (std::size_t i = 0; i < file_count; ++i) {
      ::close(files[i]);
    }
    file_count = 0;
  }

  template <class T> T get(std::size_t offset = 0) const {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
  }
};

void Packet::receive() {
  alignas(8) std::array<char, CMSG_SPACE(sizeof(files))> control;
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(protocol::control_fd, &message, MSG_CMSG_CLOEXEC);
  if (got <= 0) {
    ::_exit(protocol::exit_done);
  }
  size = static_cast<std::size_t>(got);
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    file_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(files.data(), CMSG_DATA(header), file_count * sizeof(int));
  }
  if (size < sizeof(Kind)) {
    broken_protocol();
  }
}

class Replayer {
public:
  void set_up() {
    packet_.receive();
    if (packet_.size != sizeof(protocol::Setup) || packet_.get<Kind>() != Kind::setup ||
        packet_.file_count != 1) {
      broken_protocol();
    }
    place_.setup = packet_.get<protocol::Setup>();
    const std::uint64_t size = place_.setup.window_size;
    if (place_.setup.version != protocol::version || size == 0 ||
        size > protocol::max_window_size) {
      broken_protocol();
    }
    die_with_parent(place_.setup.parent);
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                      packet_.files[0], 0);
    if (at == MAP_FAILED) {
      ::_exit(protocol::exit_clash);
    }
    place_.window = static_cast<std::byte*>(at);
    packet_.close_files();
    send_reply({});
  }

  void map_and_lock() {
    for (packet_.receive(); packet_.get<Kind>() == Kind::map; packet_.receive()) {
      map();
      protocol::Reply reply;
      reply.failed_regions = failed_regions_;
      send_reply(reply);
    }
    if (packet_.size != sizeof(protocol::Lock) || packet_.get<Kind>() != Kind::lock) {
      broken_protocol();
    }
    failed_regions_ += place_.memory.arrange();
    for (auto* engine : {&plain_, &watching_}) {
      *engine =
          Engine::create(place_.setup, place_.memory,
                         engine == &plain_ ? Engine::Memory::unwatched : Engine::Memory::watched,
                         place_.progress());
      if (*engine == nullptr) {
        ::_exit(protocol::exit_no_emulator);
      }
    }
    LockResult result;
    if (!install_fault_guard(place_.memory)) {
      result = {protocol::LockFailure::signals, errno};
    } else {
      result = enter_sandbox();
    }
    protocol::Reply reply;
    reply.failure = result.failure;
    reply.error = result.error;
    reply.failed_regions = failed_regions_;
    send_reply(reply);
    if (result.failure != protocol::LockFailure::none) {
      ::_exit(protocol::exit_done);
    }
  }

  [[noreturn]] void serve() {
    for (;;) {
      protocol::Command command;
      const ssize_t size = ::read(protocol::control_fd, &command, sizeof(command));
      if (size <= 0) {
        ::_exit(protocol::exit_done);
      }
      if (size != sizeof(command) || command.watched_count > protocol::max_watched) {
        broken_protocol();
      }
      send_reply(carry_out(command));
    }
  }

private:
  void map() {
    const auto map = packet_.get<protocol::Map>();
    if (packet_.size != sizeof(map) + map.count * sizeof(protocol::RegionRecord)) {
      broken_protocol();
    }
    for (std::uint32_t i = 0; i < map.count; ++i) {
      const auto region =
          packet_.get<protocol::RegionRecord>(sizeof(map) + i * sizeof(protocol::RegionRecord));
      const bool from_file = region.source != protocol::Source::zero;
      if (from_file && region.file >= packet_.file_count) {
        broken_protocol();
      }
      if (!place_.memory.add(region, from_file ? packet_.files[region.file] : -1)) {
        ++failed_regions_;
      }
    }
    packet_.close_files();
  }

  protocol::Reply carry_out(const protocol::Command& command) {
    switch (command.kind) {
    case Kind::clear:
      return clear(place_, command);
    case Kind::update:
      return update(place_, command);
    case Kind::collect:
      return collect(place_, command);
    case Kind::traverse:
    case Kind::visits:
      return traverse(place_, *plain_, command);
    case Kind::trace:
      return trace(place_, *watching_, command);
    default:
      broken_protocol();
    }
  }

  Packet packet_;
  Workplace place_;
  std::uint64_t failed_regions_ = 0;
  std::unique_ptr<Engine> plain_;
  std::unique_ptr<Engine> watching_;
};

} // namespace
} // namespace pygc::replayer

int main() {
  // Not on the stack: the packet is large.
  static pygc::replayer::Replayer replayer;
  replayer.set_up();
  replayer.map_and_lock();
  replayer.serve();
}
