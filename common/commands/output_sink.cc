#include "common/commands/output_sink.h"

#include "common/base/unique_fd.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::commands {
namespace {

Error file_error(const std::string& path, int code) {
  const ErrorKind kind = code == ENOENT   ? ErrorKind::not_found
                         : code == EACCES ? ErrorKind::permission
                                          : ErrorKind::io;
  return {kind, 0, fmt::format("cannot write {}: {}", path, std::strerror(code))};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

} // namespace

Result<void> append(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!fd || !write_all(fd.get(), text)) {
    return std::unexpected(file_error(path, errno));
  }
  return {};
}

Result<void> deliver(target::Session& session, const std::string& path, std::string_view text) {
  if (path.empty()) {
    session.output(text);
    return {};
  }
  struct stat status{};
  const bool special = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  // A regular file appears under its name only once it is whole.
  const std::string temporary = special ? path : fmt::format("{}.{}.tmp", path, ::getpid());
  const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd) {
    return std::unexpected(file_error(path, errno));
  }
  const bool written = write_all(fd.get(), text);
  if (!special && (!written || ::rename(temporary.c_str(), path.c_str()) != 0)) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return std::unexpected(file_error(path, code));
  }
  if (!written) {
    return std::unexpected(file_error(path, errno));
  }
  return {};
}

} // namespace pygc::commands
