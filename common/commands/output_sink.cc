#include "common/commands/output_sink.h"

#include "common/base/output_file.h"
#include "common/base/unique_fd.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
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
  auto file = OutputFile::open(path, 0666);
  if (!file) {
    return std::unexpected(file.error());
  }
  if (auto written = file->write(text); !written) {
    return written;
  }
  return file->commit();
}

} // namespace pygc::commands
