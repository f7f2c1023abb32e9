// The native replayer: maps a target's memory at its own addresses, locks itself in, and carries
// out the analysis' commands until the control socket closes.
#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/native/fetch.h"
#include "replayer/native/fill.h"
#include "replayer/native/machine.h"
#include "replayer/native/map.h"
#include "replayer/native/run_state.h"
#include "replayer/native/runner.h"
#include "replayer/native/sandbox.h"
#include "replayer/native/signals.h"
#include "replayer/native/walk.h"

#include <array>
#include <cstring>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Kind;

constexpr std::size_t max_packet =
    sizeof(protocol::Map) + protocol::max_regions_per_packet * sizeof(protocol::RegionRecord);

alignas(8) std::array<char, max_packet> packet;
std::array<int, protocol::max_files_per_packet> files;
std::size_t file_count = 0;
std::uint64_t failed_regions = 0;

template <class T> std::uint64_t address_of(T& object) {
  return reinterpret_cast<std::uint64_t>(&object);
}

[[noreturn]] void broken_protocol() {
  machine::exit_process(protocol::exit_protocol);
}

void send_reply(const protocol::Reply& reply) {
  if (machine::syscall(SYS_write, protocol::control_fd, address_of(reply), sizeof(reply)) !=
      sizeof(reply)) {
    machine::exit_process(protocol::exit_done); // the analysis is gone
  }
}

/// There is no running without the sandbox.
void send_lock_result(const LockResult& result) {
  protocol::Reply reply;
  reply.failure = result.failure;
  reply.error = result.error;
  reply.failed_regions = failed_regions;
  send_reply(reply);
  if (result.failure != protocol::LockFailure::none) {
    machine::exit_process(protocol::exit_done);
  }
}

/// One packet with the descriptors that came along (before the lock-in: afterwards none can).
std::size_t receive_with_files() {
  alignas(8) std::array<char, CMSG_SPACE(sizeof(files))> control;
  iovec part{packet.data(), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const std::int64_t size =
      machine::syscall(SYS_recvmsg, protocol::control_fd, address_of(message), MSG_CMSG_CLOEXEC);
  if (size <= 0) {
    machine::exit_process(protocol::exit_done);
  }
  file_count = 0;
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    file_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < file_count; ++i) {
      files[i] = reinterpret_cast<const int*>(CMSG_DATA(header))[i];
    }
  }
  return static_cast<std::size_t>(size);
}

void close_files() {
  for (std::size_t i = 0; i < file_count; ++i) {
    if (!keep_for_fill(files[i]) && !keep_for_fetch(files[i])) {
      machine::syscall(SYS_close, static_cast<std::uint64_t>(files[i]));
    }
  }
}

Kind packet_kind() {
  return *reinterpret_cast<const Kind*>(packet.data());
}

void set_up(std::uint64_t vdso) {
  if (receive_with_files() != sizeof(protocol::Setup) || packet_kind() != Kind::setup ||
      file_count != 1) {
    broken_protocol();
  }
  run_state.setup = *reinterpret_cast<const protocol::Setup*>(packet.data());
  if (run_state.setup.version != protocol::version) {
    broken_protocol();
  }
  die_with_parent(run_state.setup.parent);
  clear_address_space(vdso);
  if (!map_own_areas(files[0], run_state.setup.window_size)) {
    machine::exit_process(protocol::exit_clash);
  }
  close_files();
  // The best moment to say so: before the analysis has done its own work in vain.
  const LockResult sandbox = check_sandbox();
  send_lock_result(sandbox);
}

void map_packet(std::size_t size) {
  const auto& map = *reinterpret_cast<const protocol::Map*>(packet.data());
  if (size < sizeof(map) || size != sizeof(map) + map.count * sizeof(protocol::RegionRecord)) {
    broken_protocol();
  }
  const auto* regions =
      reinterpret_cast<const protocol::RegionRecord*>(packet.data() + sizeof(map));
  for (std::uint32_t i = 0; i < map.count; ++i) {
    const bool from_file = regions[i].source != protocol::Source::zero;
    if (from_file && regions[i].file >= file_count) {
      broken_protocol();
    }
    switch (map_region(regions[i], from_file ? files[regions[i].file] : -1)) {
    case MapOutcome::mapped:
      break;
    case MapOutcome::failed:
      ++failed_regions;
      break;
    case MapOutcome::clash:
      machine::exit_process(protocol::exit_clash);
    }
  }
  close_files();
  protocol::Reply reply;
  reply.failed_regions = failed_regions;
  send_reply(reply);
}

/// No code of the target has run yet: what a walk tells is the memory's.
void walk_packet() {
  failed_regions += finish_fills();
  if (const LockResult result = install_handlers(); result.failure != protocol::LockFailure::none) {
    send_lock_result(result);
  }
  protocol::Reply reply;
  reply.next = walk_lists(*reinterpret_cast<const protocol::Walk*>(packet.data()));
  failed_regions += finish_fetches();
  reply.failed_regions = failed_regions;
  send_reply(reply);
}

void map_and_lock() {
  for (;;) {
    const std::size_t size = receive_with_files();
    if (size >= sizeof(protocol::Map) && packet_kind() == Kind::map) {
      map_packet(size);
    } else if (size == sizeof(protocol::Walk) && packet_kind() == Kind::walk) {
      walk_packet();
    } else if (size == sizeof(protocol::Lock) && packet_kind() == Kind::lock) {
      break;
    } else {
      broken_protocol();
    }
  }
  machine::set_thread_pointer(run_state.setup.thread_pointer);
  failed_regions += finish_fills() + finish_fetches();
  LockResult result = install_handlers();
  if (result.failure == protocol::LockFailure::none) {
    result = enter_sandbox();
  }
  send_lock_result(result);
}

[[noreturn]] void serve() {
  for (;;) {
    const std::int64_t size = machine::syscall(
        SYS_read, protocol::control_fd, address_of(run_state.command), sizeof(protocol::Command));
    if (size <= 0) {
      machine::exit_process(protocol::exit_done);
    }
    const auto& command = run_state.command;
    const bool known = (command.kind >= Kind::clear && command.kind <= Kind::visits) ||
                       command.kind == Kind::edges || command.kind == Kind::find ||
                       command.kind == Kind::scan || command.kind == Kind::inspect;
    if (size != sizeof(protocol::Command) || !known ||
        command.watched_count > protocol::max_watched) {
      broken_protocol();
    }
    send_reply(run_command());
  }
}

} // namespace
} // namespace pygc::replayer

extern "C" [[noreturn]] void pygc_replayer_main(const std::uint64_t* initial_stack);

void pygc_replayer_main(const std::uint64_t* initial_stack) {
  pygc::replayer::set_up(pygc::replayer::machine::vdso_address(initial_stack));
  pygc::replayer::map_and_lock();
  pygc::replayer::serve();
}
