#include "common/protocol/wire_peer.h"

#include "common/base/file_identity.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pygc::wire {
namespace {

constexpr int child_socket = 3;

std::unexpected<Error> system_error(const char* what) {
  return fail(ErrorKind::io, 0, std::string(what) + ": " + std::strerror(errno));
}

/// All that an analysis takes over from the debugger when it starts, and its own file.
std::string circumstances_of(const std::string& executable) {
  std::array<char, PATH_MAX> directory{};
  std::string text = executable + '\0' + file_identity(executable) + '\0';
  text += ::getcwd(directory.data(), directory.size()) != nullptr ? directory.data() : "";
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    text += '\0';
    text += *variable;
  }
  return text;
}

} // namespace

Window::~Window() {
  if (bytes_ != nullptr) {
    ::munmap(bytes_, window_size);
  }
}

Result<void> Window::create() {
  fd_.reset(::memfd_create("pygc-window", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd_ || ::ftruncate(fd_.get(), window_size) != 0 ||
      ::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return system_error("cannot make the shared window");
  }
  void* at = ::mmap(nullptr, window_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (at == MAP_FAILED) {
    return system_error("cannot map the shared window");
  }
  bytes_ = static_cast<std::byte*>(at);
  return {};
}

Result<std::unique_ptr<Peer>> Peer::start(const std::string& executable) {
  auto peer = std::make_unique<Peer>();
  peer->circumstances_ = circumstances_of(executable);
  if (auto made = peer->window_.create(); !made) {
    return std::unexpected(made.error());
  }
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return system_error("cannot make a socket");
  }
  peer->channel_ = std::make_unique<Channel>(UniqueFd(sockets[0]));
  const UniqueFd theirs(sockets[1]);
  if (auto started = peer->child_.start(executable, {"--serve=" + std::to_string(child_socket)},
                                        theirs.get(), child_socket);
      !started) {
    return std::unexpected(started.error());
  }
  return peer;
}

Ending Peer::end(int patience_ms) {
  channel_.reset();
  return child_.end(patience_ms);
}

std::unique_ptr<Peer> KeptAnalysis::take(const std::string& executable,
                                         const std::string& stop_id) {
  const std::lock_guard guard(mutex_);
  if (peer_ != nullptr && (stop_id.empty() || peer_->stop_id_ != stop_id ||
                           peer_->circumstances_ != circumstances_of(executable))) {
    peer_.reset();
  }
  return std::move(peer_);
}

void KeptAnalysis::keep(std::unique_ptr<Peer> peer, const std::string& stop_id) {
  const std::lock_guard guard(mutex_);
  peer_ = stop_id.empty() ? nullptr : std::move(peer);
  if (peer_ != nullptr) {
    peer_->stop_id_ = stop_id;
  }
}

} // namespace pygc::wire
