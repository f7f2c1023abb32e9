#include "gdb-plugin/channels.h"

#include "common/base/unique_fd.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace pygc::gdb {
namespace {

constexpr off_t max_request = off_t{64} << 20;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return true;
}

/// While one exists, descriptors up to the last channel may be made, whatever the soft limit. They
/// outlive it: a limit says only what may be opened. GDB's children keep the user's limit.
class RaisedLimit {
public:
  RaisedLimit() {
    rlimit wanted{};
    changed_ = ::getrlimit(RLIMIT_NOFILE, &before_) == 0 && before_.rlim_cur < needed_descriptors;
    if (changed_) {
      wanted = {.rlim_cur = needed_descriptors, .rlim_max = before_.rlim_max};
      changed_ = ::setrlimit(RLIMIT_NOFILE, &wanted) == 0;
    }
  }
  RaisedLimit(const RaisedLimit&) = delete;
  RaisedLimit& operator=(const RaisedLimit&) = delete;
  ~RaisedLimit() {
    if (changed_) {
      ::setrlimit(RLIMIT_NOFILE, &before_);
    }
  }

private:
  rlimit before_{};
  bool changed_ = false;
};

bool open_channel(int number, const std::string& text) {
  const UniqueFd file(::memfd_create("pygc", MFD_CLOEXEC));
  if (!file || !write_all(file.get(), text)) {
    return false;
  }
  UniqueFd at(::fcntl(file.get(), F_DUPFD_CLOEXEC, number));
  return at.get() == number && at.release() == number;
}

bool replace_channel(int number, const std::string& text) {
  const RaisedLimit raised;
  const UniqueFd file(::memfd_create("pygc", MFD_CLOEXEC));
  return file && write_all(file.get(), text) && ::dup3(file.get(), number, O_CLOEXEC) == number;
}

bool is_item(char c) {
  return (c >= 1 && c <= 8) || c == static_cast<char>(Item::signal);
}

} // namespace

std::string open_channels(const std::string& definitions) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < needed_descriptors) {
    return "GDB may have " + std::to_string(limit.rlim_max) + " open files, and pygc needs " +
           std::to_string(needed_descriptors) + " (ulimit -Hn)";
  }
  const RaisedLimit raised;
  if (!open_channel(request_fd, {}) || !open_channel(response_fd, definitions) ||
      !open_channel(status_fd, {}) || !open_channel(answer_fd, {}) || !open_channel(load_fd, {})) {
    return "descriptors " + std::to_string(request_fd) + " to " + std::to_string(load_fd) +
           " must be free in GDB: load pygc earlier";
  }
  return {};
}

std::string take_answer() {
  const off_t size = ::lseek(answer_fd, 0, SEEK_END);
  if (size <= 0 || size > max_request) {
    return {};
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  const bool whole = ::pread(answer_fd, text.data(), text.size(), 0) == size;
  return whole && ::ftruncate(answer_fd, 0) == 0 ? text : std::string();
}

bool request_is_complete() {
  const off_t size = ::lseek(request_fd, 0, SEEK_END);
  char last = '\0';
  return size > 0 && ::pread(request_fd, &last, 1, size - 1) == 1 &&
         last == static_cast<char>(Item::send);
}

Request take_request() {
  Request request;
  // lseek, not fstat: the latter would need a newer glibc than old GDBs run with.
  const off_t size = ::lseek(request_fd, 0, SEEK_END);
  if (size < 1 || size > max_request) {
    return request;
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (::pread(request_fd, bytes.data(), bytes.size(), 0) != size ||
      bytes.back() != static_cast<char>(Item::send) || ::ftruncate(request_fd, 0) != 0) {
    return request;
  }
  bytes.pop_back();
  request.complete = true;
  for (const char c : bytes) {
    if (is_item(c)) {
      request.parts.push_back({static_cast<Item>(c), {}});
    } else if (c != '\0' && !request.parts.empty()) {
      request.parts.back().text += c;
    }
  }
  return request;
}

bool answer(const std::string& response, const std::string& status) {
  return replace_channel(response_fd, response) && replace_channel(status_fd, status);
}

bool set_load_commands(const std::string& commands) {
  return replace_channel(load_fd, commands);
}

std::string unquote(std::string_view word) {
  std::string plain;
  char quote = '\0';
  for (std::size_t i = 0; i < word.size(); i++) {
    const char c = word[i];
    if (c == '\\' && quote != '\'' && i + 1 < word.size()) {
      plain += word[++i];
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else {
      plain += c;
    }
  }
  return plain;
}

} // namespace pygc::gdb
