// The analysis as a plugin has it: a process, a socket and a window for memory. One that has served
// a command may stay for the next.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/protocol/wire.h"
#include "common/protocol/wire_messages.h"
#include "common/protocol/wire_process.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

namespace pygc::wire {

// Sealed in size: the other side can write what it likes into it, but not pull it from under us.
class Window {
public:
  Window() = default;
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window();
  /// Errors: io.
  Result<void> create();
  int fd() const { return fd_.get(); }
  std::byte* bytes() const { return bytes_; }

private:
  UniqueFd fd_;
  std::byte* bytes_ = nullptr;
};

class Peer {
public:
  /// Starts the executable. Errors: not_found, permission, io.
  static Result<std::unique_ptr<Peer>> start(const std::string& executable);

  Channel& channel() { return *channel_; }
  const Window& window() const { return window_; }
  ChildProcess& child() { return child_; }
  /// Hangs up, gives it so long to end by itself, then kills it.
  Ending end(int patience_ms);

private:
  friend class KeptAnalysis;

  std::string circumstances_; // that it was started in
  std::string stop_id_;       // of the command that it has served last
  Window window_;
  ChildProcess child_; // killed after the socket is closed
  std::unique_ptr<Channel> channel_;
};

/// Between commands: the analysis that waits for the next one, or none. Ends it when it goes
/// itself.
class KeptAnalysis {
public:
  /// The one that waits, if the target has not moved since (Hello::stop_id) and it would start in
  /// the same circumstances now (executable, working directory, environment); else it is ended.
  /// Null: there is none.
  std::unique_ptr<Peer> take(const std::string& executable, const std::string& stop_id);
  /// An empty stop id: nothing is kept.
  void keep(std::unique_ptr<Peer> peer, const std::string& stop_id);
  void end() { keep(nullptr, {}); }

private:
  std::mutex mutex_; // LLDB runs commands in several threads
  std::unique_ptr<Peer> peer_;
};

} // namespace pygc::wire
