#include "tests/e2e/support/process.h"

#include "tests/e2e/support/debug_registers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <poll.h>
#include <set>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pygc::e2e {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> environment_of(const Command& command) {
  // What the surroundings of the tests happen to set must not decide what they see.
  const std::vector<std::string> dropped = {"DEBUGINFOD_URLS", "PYTHONHOME", "PYTHONPATH",
                                            "PYTHONMALLOC",    "LD_PRELOAD", "PYGC_CACHE_DIR"};
  std::vector<std::string> all;
  const auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find('=')); };
  const auto remove = [&](const std::string& name) {
    std::erase_if(all, [&](const std::string& entry) { return name_of(entry) == name; });
  };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    all.emplace_back(*entry);
  }
  for (const std::string& name : dropped) {
    remove(name);
  }
  all.emplace_back(std::string("PYGC_CACHE_DIR=") + PYGC_TEST_CACHE_DIR);
  for (const std::string& entry : command.env) {
    remove(name_of(entry));
    if (entry.find('=') != std::string::npos) {
      all.push_back(entry);
    }
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

void write_filter(unsigned filter) {
  const int fd = ::open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
  std::array<char, 16> text{};
  const int length = ::snprintf(text.data(), text.size(), "0x%x", filter);
  if (fd < 0 || ::write(fd, text.data(), static_cast<std::size_t>(length)) != length) {
    ::_exit(126);
  }
  ::close(fd);
}

[[noreturn]] void become(const Command& command, char* const* words, char* const* env, int in,
                         int out, int err) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(command.typed ? in : null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (!command.cwd.empty() && ::chdir(command.cwd.c_str()) != 0) {
    ::_exit(126);
  }
  const rlim_t limit = command.core_unlimited ? RLIM_INFINITY : 0;
  const rlimit core{limit, command.core_unlimited ? RLIM_INFINITY : limit};
  ::setrlimit(RLIMIT_CORE, &core);
  if (command.coredump_filter) {
    write_filter(*command.coredump_filter);
  }
  if (command.user != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(command.user) != 0 ||
                            ::setuid(command.user) != 0)) {
    ::_exit(126);
  }
  if ((!command.debug_registers || debug_registers_are_off()) && !ignore_debug_registers()) {
    ::_exit(126);
  }
  ::execvpe(words[0], words, env);
  ::_exit(127);
}

/// The parent and state of a process, by /proc/PID/stat.
struct ProcessState {
  pid_t parent = 0;
  char state = '?';
  std::string name;
};

std::optional<ProcessState> state_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  std::getline(file, text);
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) {
    return std::nullopt;
  }
  ProcessState state;
  state.name = text.substr(open + 1, close - open - 1);
  std::istringstream rest(text.substr(close + 1));
  rest >> state.state >> state.parent;
  return state;
}

/// The programs started by Child objects that live now.
std::set<pid_t>& known_children() {
  static std::set<pid_t> pids;
  return pids;
}

/// Living processes whose parent is this test, but that no Child started: left behind by a program
/// that ended (this process is their reaper).
std::vector<std::string> orphans() {
  std::vector<std::string> found;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) {
    throw std::runtime_error("no /proc");
  }
  while (const dirent* entry = ::readdir(proc)) {
    const std::string pid = entry->d_name;
    if (!std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c) != 0; })) {
      continue;
    }
    const pid_t number = static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10));
    const auto state = state_of(pid);
    if (!state || state->parent != ::getpid() || known_children().contains(number)) {
      continue;
    }
    if (state->state == 'Z') {
      ::waitpid(number, nullptr, WNOHANG);
    } else {
      found.push_back(state->name + " (" + pid + ")");
    }
  }
  ::closedir(proc);
  return found;
}

std::vector<std::string> survivors() {
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  std::vector<std::string> found = orphans();
  while (!found.empty() && Clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    found = orphans();
  }
  return found;
}

/// Appends what is there; false at the end of the stream.
bool read_some(int fd, std::string& to) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n > 0) {
    to.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

} // namespace

Child::Child(const Command& command) : started_(Clock::now()) {
  std::vector<std::string> words = command.words;
  std::vector<std::string> env = environment_of(command);
  const std::vector<char*> word_pointers = pointers_to(words);
  const std::vector<char*> env_pointers = pointers_to(env);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0 ||
      ::pipe2(err.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::runtime_error("no process");
  }
  if (pid_ == 0) {
    become(command, word_pointers.data(), env_pointers.data(), in[0], out[1], err[1]);
  }
  known_children().insert(pid_);
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  in_ = in[1];
  out_ = out[0];
  err_ = err[0];
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    known_children().erase(pid_);
  }
  for (const int fd : {in_, out_, err_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

void Child::send(int signal) const {
  ::kill(pid_, signal);
}

void Child::type(const std::string& line) const {
  const std::string text = line + "\n";
  if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot type " + line);
  }
}

void Child::drain(int milliseconds) {
  std::array<pollfd, 2> fds{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), milliseconds) <= 0) {
    return;
  }
  const auto take = [](const pollfd& ready, int& fd, std::string& text) {
    if (ready.revents != 0 && !read_some(fd, text)) {
      ::close(fd);
      fd = -1;
    }
  };
  take(fds[0], out_, out_text_);
  take(fds[1], err_, err_text_);
}

std::optional<std::vector<std::string>> Child::read_until(const std::string& line,
                                                          std::chrono::seconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    std::vector<std::string> lines = split_lines(out_text_);
    if (const auto it = std::ranges::find(lines, line); it != lines.end()) {
      lines.erase(it, lines.end());
      return lines;
    }
    if (out_ < 0 || Clock::now() > deadline) {
      return std::nullopt;
    }
    drain(50);
  }
}

Outcome Child::wait(std::chrono::seconds timeout) {
  const auto deadline = started_ + timeout;
  Outcome outcome;
  outcome.pid = pid_;
  int status = 0;
  bool ended = false;
  // A process that outlives the program may keep the pipes open: the end of the program counts.
  while (!ended) {
    drain(20);
    ended = ::wait4(pid_, &status, WNOHANG, &outcome.usage) == pid_;
    if (!ended && out_ < 0 && err_ < 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!ended && Clock::now() > deadline) {
      outcome.timed_out = true;
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);
      ::wait4(pid_, &status, 0, &outcome.usage);
      ended = true;
    }
  }
  outcome.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  known_children().erase(pid_);
  outcome.survivors = survivors();
  // What the pipes still hold; whoever keeps them open beyond that is a survivor.
  while (out_ >= 0 || err_ >= 0) {
    const std::size_t before = out_text_.size() + err_text_.size();
    const int open_before = (out_ >= 0 ? 1 : 0) + (err_ >= 0 ? 1 : 0);
    drain(100);
    const int open_after = (out_ >= 0 ? 1 : 0) + (err_ >= 0 ? 1 : 0);
    if (before == out_text_.size() + err_text_.size() && open_before == open_after) {
      break;
    }
  }
  ::kill(-pid_, SIGKILL);
  pid_ = -1;
  outcome.out = out_text_;
  outcome.err = err_text_;
  if (WIFEXITED(status)) {
    outcome.status = WEXITSTATUS(status);
  } else {
    outcome.signal = WTERMSIG(status);
  }
  return outcome;
}

Outcome run(const Command& command) {
  Child child(command);
  return child.wait(command.timeout);
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  std::string line;
  while (std::getline(stream, line)) {
    lines.push_back(line);
  }
  return lines;
}

std::string join(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) {
    all += (all.empty() ? "" : " ") + word;
  }
  return all;
}

} // namespace pygc::e2e
