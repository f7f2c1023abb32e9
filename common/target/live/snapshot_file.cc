// Writing a snapshot to a file, with its holes.
#include "common/base/output_file.h"
#include "common/target/live/snapshot.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pygc::target {
namespace {

constexpr std::size_t buffer_size = std::size_t{4} << 20U;

class Copy {
public:
  Copy(int from, OutputFile& to, const std::function<bool()>& cancelled)
      : from_(from), to_(to), cancelled_(cancelled), buffer_(buffer_size) {}

  Result<void> run() {
    struct stat status{};
    if (::fstat(from_, &status) != 0) {
      return unreadable();
    }
    off_t done = 0;
    off_t start = ::lseek(from_, 0, SEEK_DATA);
    while (start >= 0 && start < status.st_size) {
      const off_t end = ::lseek(from_, start, SEEK_HOLE);
      if (end < 0) {
        return unreadable();
      }
      if (auto copied = run_of_data(done, start, end); !copied) {
        return copied;
      }
      done = end;
      start = ::lseek(from_, end, SEEK_DATA); // fails (ENXIO) where only a hole is left
    }
    return to_.skip(static_cast<std::size_t>(status.st_size - done));
  }

private:
  static std::unexpected<Error> unreadable() {
    return fail(ErrorKind::io, 0,
                std::string("cannot read the copy of the process: ") + std::strerror(errno));
  }

  /// From `done`, where the hole before it begins.
  Result<void> run_of_data(off_t done, off_t start, off_t end) {
    if (auto skipped = to_.skip(static_cast<std::size_t>(start - done)); !skipped) {
      return skipped;
    }
    while (start < end) {
      if (cancelled_()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      const auto size = std::min(buffer_.size(), static_cast<std::size_t>(end - start));
      const ssize_t n = ::pread(from_, buffer_.data(), size, start);
      if (n <= 0) {
        return unreadable();
      }
      const std::span bytes = std::span(buffer_).first(static_cast<std::size_t>(n));
      if (auto written = to_.write(bytes); !written) {
        return written;
      }
      start += n;
    }
    return {};
  }

  int from_;
  OutputFile& to_;
  const std::function<bool()>& cancelled_;
  std::vector<std::byte> buffer_;
};

} // namespace

Result<void> save_snapshot(const Snapshot& snapshot, const std::string& path,
                           const std::function<bool()>& cancelled) {
  // Memory may hold secrets: nobody else's to read.
  auto file = OutputFile::open(path, 0600);
  if (!file) {
    return std::unexpected(file.error());
  }
  if (auto copied = Copy(snapshot.core.get(), *file, cancelled).run(); !copied) {
    return copied;
  }
  return file->commit();
}

} // namespace pygc::target
