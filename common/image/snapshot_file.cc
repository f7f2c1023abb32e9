// Writing a snapshot to a file, with its holes.
#include "common/image/snapshot.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pygc::image {
namespace {

constexpr std::size_t buffer_size = std::size_t{4} << 20U;

std::unexpected<Error> file_error(const std::string& path, int code) {
  const ErrorKind kind = code == ENOENT   ? ErrorKind::not_found
                         : code == EACCES ? ErrorKind::permission
                                          : ErrorKind::io;
  return fail(kind, 0, "cannot write " + path + ": " + std::strerror(code));
}

/// 0, or errno.
int write_all(int fd, std::span<const std::byte> bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return n < 0 ? errno : EIO;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
  return 0;
}

class Copy {
public:
  Copy(int from, int to, const std::function<bool()>& cancelled)
      : from_(from), to_(to), cancelled_(cancelled), buffer_(buffer_size) {}

  /// 0, or errno; ECANCELED when the user has had enough.
  int run() {
    struct stat status{};
    if (::fstat(from_, &status) != 0 || ::ftruncate(to_, status.st_size) != 0) {
      return errno;
    }
    off_t start = ::lseek(from_, 0, SEEK_DATA);
    while (start >= 0 && start < status.st_size) {
      const off_t end = ::lseek(from_, start, SEEK_HOLE);
      if (end < 0) {
        return errno;
      }
      if (const int code = run_of_data(start, end); code != 0) {
        return code;
      }
      start = ::lseek(from_, end, SEEK_DATA); // fails (ENXIO) where only a hole is left
    }
    return 0;
  }

private:
  int run_of_data(off_t start, off_t end) {
    while (start < end) {
      if (cancelled_()) {
        return ECANCELED;
      }
      const auto size = std::min(buffer_.size(), static_cast<std::size_t>(end - start));
      const ssize_t n = ::pread(from_, buffer_.data(), size, start);
      if (n <= 0) {
        return n < 0 ? errno : EIO;
      }
      const std::span bytes = std::span(buffer_).first(static_cast<std::size_t>(n));
      if (const int code = write_all(to_, bytes, start); code != 0) {
        return code;
      }
      start += n;
    }
    return 0;
  }

  int from_;
  int to_;
  const std::function<bool()>& cancelled_;
  std::vector<std::byte> buffer_;
};

} // namespace

Result<void> save_snapshot(const Snapshot& snapshot, const std::string& path,
                           const std::function<bool()>& cancelled) {
  // It appears under its name only once it is whole.
  const std::string temporary = path + "." + std::to_string(::getpid()) + ".tmp";
  // Memory may hold secrets: nobody else's to read.
  const UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) {
    return file_error(path, errno);
  }
  int code = Copy(snapshot.core.get(), file.get(), cancelled).run();
  if (code == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) {
    code = errno;
  }
  if (code != 0) {
    ::unlink(temporary.c_str());
    return code == ECANCELED ? fail(ErrorKind::cancelled, 0, "interrupted")
                             : file_error(path, code);
  }
  return {};
}

} // namespace pygc::image
