#include "common/protocol/wire_process.h"

#include "common/base/own_descriptors.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pygc::wire {
namespace {

constexpr off_t last_words_size = 2000;

// P_PIDFD, which older headers lack.
constexpr auto pidfd_kind = static_cast<idtype_t>(3);

/// Nothing where the kernel has no such thing, or cannot wait for one (before 5.4).
UniqueFd open_handle(pid_t pid) {
#ifdef SYS_pidfd_open
  UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  siginfo_t info{};
  if (handle && ::waitid(pidfd_kind, static_cast<id_t>(handle.get()), &info,
                         WEXITED | WNOHANG | WNOWAIT) == 0) {
    return handle;
  }
#else
  static_cast<void>(pid);
#endif
  return {};
}

struct Actions {
  posix_spawn_file_actions_t value{};
  Actions() { ::posix_spawn_file_actions_init(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
};

struct Attributes {
  posix_spawnattr_t value{};
  Attributes() { ::posix_spawnattr_init(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&value); }
};

// The debugger's signal mask and dispositions are not the child's business; nor is the terminal's
// ^C, which the debugger hears first.
void set_signals(Attributes& attributes) {
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::sigdelset(&all, SIGKILL);
  ::sigdelset(&all, SIGSTOP);
  ::posix_spawnattr_setsigmask(&attributes.value, &none);
  ::posix_spawnattr_setsigdefault(&attributes.value, &all);
  ::posix_spawnattr_setpgroup(&attributes.value, 0);
  ::posix_spawnattr_setflags(&attributes.value, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
}

// What the debugger's own children are given is nothing for one that stays: the end of a pipe that
// it held would never come.
void close_inherited(Actions& actions) {
  for (const int fd : own_descriptors()) {
    const int flags = fd > STDERR_FILENO ? ::fcntl(fd, F_GETFD) : -1;
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
      ::posix_spawn_file_actions_addclose(&actions.value, fd);
    }
  }
}

void sleep_a_moment() {
  const timespec millisecond{.tv_sec = 0, .tv_nsec = 1'000'000};
  ::nanosleep(&millisecond, nullptr);
}

} // namespace

Result<void> ChildProcess::start(const std::string& executable,
                                 const std::vector<std::string>& words, int socket,
                                 int socket_number) {
  // A file of our own, not the debugger's standard error: it would corrupt a screen or a protocol.
  const UniqueFd scratch(::memfd_create("pygc-stderr", MFD_CLOEXEC));
  // Above the numbers that the child's descriptors get, so that none is overwritten.
  stderr_.reset(::fcntl(scratch.get(), F_DUPFD_CLOEXEC, socket_number + 1));
  const UniqueFd its_socket(::fcntl(socket, F_DUPFD_CLOEXEC, socket_number + 1));
  if (!stderr_ || !its_socket) {
    return fail(ErrorKind::io, 0,
                std::string("cannot make a descriptor for the analysis: ") + std::strerror(errno));
  }
  Actions actions;
  close_inherited(actions);
  ::posix_spawn_file_actions_adddup2(&actions.value, its_socket.get(), socket_number);
  ::posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions.value, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions.value, stderr_.get(), STDERR_FILENO);
  Attributes attributes;
  set_signals(attributes);

  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(executable.c_str()));
  for (const auto& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  const int error = ::posix_spawnp(&pid_, executable.c_str(), &actions.value, &attributes.value,
                                   argv.data(), environ);
  if (error != 0) {
    pid_ = -1;
    const auto kind = error == ENOENT   ? ErrorKind::not_found
                      : error == EACCES ? ErrorKind::permission
                                        : ErrorKind::io;
    return fail(kind, 0,
                "cannot start the analysis " + executable + ": " + std::strerror(error) +
                    " (PYGC_EXECUTABLE may name it)");
  }
  owner_ = ::getpid();
  handle_ = open_handle(pid_);
  return {};
}

// False: the child is no longer ours to ask about.
bool ChildProcess::wait_status(siginfo_t& info, int options) const {
  int result = -1;
  do {
    info = {};
    result = handle_ ? ::waitid(pidfd_kind, static_cast<id_t>(handle_.get()), &info, options)
                     : ::waitid(P_PID, static_cast<id_t>(pid_), &info, options);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

Ending ChildProcess::end(int patience_ms) {
  Ending ending;
  if (pid_ <= 0 || owner_ != ::getpid()) {
    return ending;
  }
  siginfo_t info{};
  bool ours = true; // not reaped: while that is so, its process group keeps the number
  for (int waited = 0;; waited++) {
    ours = wait_status(info, WEXITED | WNOHANG | WNOWAIT);
    if (!ours || info.si_pid != 0 || waited >= patience_ms) {
      break;
    }
    sleep_a_moment();
  }
  if (ours) {
    ::kill(-pid_, SIGKILL);
    if (wait_status(info, WEXITED)) {
      ending.known = true;
      ending.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
      ending.exit_status = info.si_code == CLD_EXITED ? info.si_status : 0;
    }
  }
  pid_ = -1;
  handle_.reset();
  return ending;
}

ChildProcess::~ChildProcess() {
  end(0);
}

std::string ChildProcess::last_words() const {
  const off_t size = stderr_ ? ::lseek(stderr_.get(), 0, SEEK_END) : 0;
  if (size <= 0) {
    return {};
  }
  const off_t start = std::max(size - last_words_size, forgotten_);
  if (start >= size) {
    return {};
  }
  std::string text(static_cast<std::size_t>(size - start), '\0');
  const ssize_t n = ::pread(stderr_.get(), text.data(), text.size(), start);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  return text;
}

void ChildProcess::forget_last_words() {
  forgotten_ = stderr_ ? ::lseek(stderr_.get(), 0, SEEK_END) : 0;
}

} // namespace pygc::wire
