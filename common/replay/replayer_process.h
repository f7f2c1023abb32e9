// A replayer process and the socket to it: started, talked to with patience but not without end,
// and never left behind.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

namespace pygc::replay {

class ReplayerProcess {
public:
  /// Errors: replayer (the executable is missing or cannot be started).
  static Result<ReplayerProcess> start(const std::string& path, std::function<bool()> cancelled);

  ReplayerProcess(ReplayerProcess&& other) noexcept;
  ReplayerProcess& operator=(ReplayerProcess&&) = delete;
  ReplayerProcess(const ReplayerProcess&) = delete;
  ReplayerProcess& operator=(const ReplayerProcess&) = delete;
  ~ReplayerProcess();

  /// Sends one packet. Errors, after each of which the process is gone: replayer, cancelled.
  Result<void> send(std::span<const std::byte> packet, std::span<const int> files);
  /// Waits for a packet of exactly the size of `answer`. `progress` gives a figure that changes as
  /// long as the replayer is alive; what comes from it may be a lie, which limit_processor_time()
  /// ends. Errors as send().
  Result<void> receive(std::span<std::byte> answer, const std::function<std::uint64_t()>& progress);

  /// It is to end, without anybody's waiting for that before it is destroyed.
  void let_go() const;
  /// Ends the process, whose answers make no sense. Returns `error`.
  Error give_up(Error error);

  /// The process is ended when it has used more, all in all.
  void limit_processor_time(std::chrono::milliseconds limit) { processor_limit_ = limit; }

  /// The status the process exited with, once an exchange has failed because it did.
  std::optional<int> exit_status() const { return exit_status_; }
  /// 0 once it is gone.
  pid_t pid() const { return pid_; }

private:
  ReplayerProcess(UniqueFd socket, pid_t pid, std::function<bool()> cancelled);

  /// One look at the user and the socket. True: the socket is ready.
  Result<bool> wait_for(short events);
  /// Kills and reaps. Returns the wait status unless somebody else has taken it.
  std::optional<int> end();
  Error died();
  bool is_over_limit() const;

  UniqueFd socket_;
  pid_t pid_ = 0;
  std::function<bool()> cancelled_;
  std::optional<int> exit_status_;
  std::chrono::milliseconds processor_limit_ = std::chrono::milliseconds::max();
};

} // namespace pygc::replay
