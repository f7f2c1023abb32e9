#include "common/replay/replayer_process.h"

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pygc::replay {
namespace {

// How often the user is asked whether to go on.
constexpr std::chrono::milliseconds poll_interval{50};
// A replayer that shows no progress for so long is given up. Its own timer ends a traversal long
// before, unless the target's code has broken it.
constexpr std::chrono::seconds stall_limit{60};

// As the dynamic linker ends when it cannot load the libraries.
constexpr int exit_not_loaded = 127;

std::string system_reason(int error) {
  return std::strerror(error);
}

class SpawnSettings {
public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  int prepare(int control) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_adddup2(&actions_, control, protocol::control_fd);
    // The dynamic linker and libraries have nothing to tell the user: died() says it in our words.
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      error = error != 0 ? error
                         : posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0);
    }
    error = error != 0
                ? error
                : posix_spawn_file_actions_addclosefrom_np(&actions_, protocol::control_fd + 1);
    error = error != 0 ? error : posix_spawnattr_setsigmask(&attributes_, &none);
    error = error != 0 ? error : posix_spawnattr_setsigdefault(&attributes_, &all);
    return error != 0 ? error
                      : posix_spawnattr_setflags(&attributes_,
                                                 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

} // namespace

ReplayerProcess::ReplayerProcess(UniqueFd socket, pid_t pid, std::function<bool()> cancelled)
    : socket_(std::move(socket)), pid_(pid), cancelled_(std::move(cancelled)) {}

ReplayerProcess::ReplayerProcess(ReplayerProcess&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, 0)),
      cancelled_(std::move(other.cancelled_)), exit_status_(other.exit_status_),
      processor_limit_(other.processor_limit_) {}

ReplayerProcess::~ReplayerProcess() {
  end();
}

Result<ReplayerProcess> ReplayerProcess::start(const std::string& path,
                                               std::function<bool()> cancelled) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(ErrorKind::replayer, 0, "no socket for the replayer: " + system_reason(errno));
  }
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);

  SpawnSettings settings;
  int error = settings.prepare(theirs.get());
  pid_t pid = 0;
  if (error == 0) {
    std::string name = path;
    std::array<char*, 2> arguments{name.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    error = ::posix_spawn(&pid, path.c_str(), settings.actions(), settings.attributes(),
                          arguments.data(), environment.data());
  }
  if (error != 0) {
    return fail(ErrorKind::replayer, 0,
                "cannot start the replayer " + path + ": " + system_reason(error));
  }
  return ReplayerProcess(std::move(ours), pid, std::move(cancelled));
}

void ReplayerProcess::let_go() const {
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
  }
}

std::optional<int> ReplayerProcess::end() {
  if (pid_ == 0) {
    return std::nullopt;
  }
  ::kill(pid_, SIGKILL); // without effect on one that has ended: it keeps its status
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  const bool known = reaped == pid_;
  pid_ = 0;
  socket_.reset();
  return known ? std::optional(status) : std::nullopt;
}

Error ReplayerProcess::died() {
  const auto status = end();
  Error error{ErrorKind::replayer, 0, "the replayer died"};
  if (status && WIFSIGNALED(*status)) {
    const int signal = WTERMSIG(*status);
    const char* name = ::strsignal(signal);
    error.reason = "the replayer was killed by signal " + std::to_string(signal) + " (" +
                   (name != nullptr ? name : "unknown") + ")";
    if (signal == SIGKILL) {
      error.reason += ", perhaps for lack of memory";
    }
  } else if (status && WIFEXITED(*status)) {
    exit_status_ = WEXITSTATUS(*status);
    switch (*exit_status_) {
    case protocol::exit_protocol:
      error.reason = "the replayer does not understand this pygc: are they of one version?";
      break;
    case protocol::exit_clash:
      error.reason = "the replayer is in the way of the target's memory";
      break;
    case protocol::exit_no_emulator:
      error.reason = "the emulator cannot be set up; give pygc more memory, or reinstall it with "
                     "its libunicorn 2";
      break;
    case exit_not_loaded:
      error.reason = "the replayer cannot be loaded, since a library that it needs is missing or "
                     "does not fit, or memory is short; install libunicorn 2 (libunicorn2)";
      break;
    case protocol::exit_crashed:
      error.reason = "the replayer crashed: its own memory was overwritten";
      break;
    default:
      error.reason = "the replayer ended with status " + std::to_string(*exit_status_);
      break;
    }
  }
  return error;
}

Error ReplayerProcess::give_up(Error error) {
  end();
  return error;
}

bool ReplayerProcess::is_over_limit() const {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    return false;
  }
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec) >
         processor_limit_;
}

Result<bool> ReplayerProcess::wait_for(short events) {
  if (pid_ == 0) {
    return fail(ErrorKind::replayer, 0, "the replayer is gone");
  }
  if (cancelled_ && cancelled_()) {
    end();
    return fail(ErrorKind::cancelled, 0, "interrupted");
  }
  pollfd entry{socket_.get(), events, 0};
  const int ready = ::poll(&entry, 1, static_cast<int>(poll_interval.count()));
  return ready > 0;
}

Result<void> ReplayerProcess::send(std::span<const std::byte> packet, std::span<const int> files) {
  // sendmsg() does not write to what it is given.
  iovec part{const_cast<std::byte*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * protocol::max_files_per_packet)>
      control{};
  if (!files.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(files.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(header), files.data(), files.size_bytes());
  }
  for (;;) {
    auto ready = wait_for(POLLOUT);
    if (!ready) {
      return std::unexpected(ready.error());
    }
    if (!*ready) {
      continue;
    }
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == static_cast<ssize_t>(packet.size())) {
      return {};
    }
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      return std::unexpected(died());
    }
    if (sent >= 0 || (errno != EAGAIN && errno != EINTR)) {
      const int error = errno;
      end();
      return fail(ErrorKind::replayer, 0, "cannot talk to the replayer: " + system_reason(error));
    }
  }
}

Result<void> ReplayerProcess::receive(std::span<std::byte> answer,
                                      const std::function<std::uint64_t()>& progress) {
  using Clock = std::chrono::steady_clock;
  auto moved = Clock::now();
  std::uint64_t seen = progress();
  for (;;) {
    auto ready = wait_for(POLLIN);
    if (!ready) {
      return std::unexpected(ready.error());
    }
    if (!*ready) {
      if (is_over_limit()) {
        end();
        return fail(ErrorKind::replayer, 0,
                    "the replayer was stopped: code of the target kept it at work without an end");
      }
      if (const std::uint64_t now = progress(); now != seen) {
        seen = now;
        moved = Clock::now();
      } else if (Clock::now() - moved > stall_limit) {
        end();
        return fail(ErrorKind::replayer, 0, "the replayer does not answer any more");
      }
      continue;
    }
    const ssize_t got =
        ::recv(socket_.get(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (got == static_cast<ssize_t>(answer.size())) {
      return {};
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      continue;
    }
    if (got > 0) {
      end();
      return fail(ErrorKind::replayer, 0, "the replayer's answer makes no sense");
    }
    return std::unexpected(died());
  }
}

} // namespace pygc::replay
