#include "common/target/core/packed_core.h"

#include "common/base/file_error.h"
#include "common/target/core/decompress.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

namespace pygc::target {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::size_t page = 4096; // a hole need not be of the machine's page
constexpr std::uint64_t kept_free = std::uint64_t{256} << 20;

Result<std::size_t> read_some(int fd, const std::string& path, std::span<std::byte> to,
                              const std::function<bool()>& cancelled) {
  for (;;) {
    if (cancelled && cancelled()) {
      return fail(ErrorKind::cancelled, 0, "interrupted");
    }
    const ssize_t n = ::read(fd, to.data(), to.size());
    if (n >= 0) {
      return static_cast<std::size_t>(n);
    }
    if (errno != EINTR) {
      return file_error(path, errno);
    }
  }
}

/// What there is room for beside `kept_free`.
std::uint64_t room_in(const std::string& directory) {
  struct statvfs room{};
  if (::statvfs(directory.c_str(), &room) != 0) {
    return 0;
  }
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  return free > kept_free ? free - kept_free : 0;
}

bool is_zero(std::span<const std::byte> bytes) {
  return bytes.empty() || (bytes.front() == std::byte{} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

class UnpackedFile {
public:
  Result<void> create(const std::string& directory) {
    std::error_code ignored;
    if (!directory.empty()) {
      std::filesystem::create_directories(directory, ignored);
      fd_.reset(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
      if (!fd_) { // not every file system has files without a name
        std::string name = directory + "/core-XXXXXX";
        fd_.reset(::mkostemp(name.data(), O_CLOEXEC));
        if (fd_) {
          ::unlink(name.c_str());
        }
      }
    }
    where_ = directory;
    room_ = fd_ ? room_in(directory) : 0;
    if (!fd_) {
      fd_.reset(::memfd_create("pygc-core", MFD_CLOEXEC));
      where_ = "memory";
      room_ = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) *
              static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 2;
    }
    return fd_ ? Result<void>() : file_error("no file to unpack the core into", errno);
  }

  Result<void> append(std::span<const std::byte> bytes) {
    // Runs of pages that are not all zeros.
    while (!bytes.empty()) {
      std::size_t run = 0;
      std::size_t next = 0;
      while (run < bytes.size()) {
        next = std::min<std::size_t>(bytes.size() - run, page - (size_ + run) % page);
        if (is_zero(bytes.subspan(run, next))) {
          break;
        }
        run += next;
        next = 0;
      }
      if (auto written = write(bytes.first(run)); !written) {
        return written;
      }
      size_ += run + next;
      bytes = bytes.subspan(run + next);
    }
    return {};
  }

  Result<UniqueFd> finish() {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
      return file_error("the unpacked core", errno);
    }
    return std::move(fd_);
  }

private:
  Result<void> write(std::span<const std::byte> bytes) {
    written_ += bytes.size();
    if (written_ > room_) {
      return no_room();
    }
    std::uint64_t at = size_;
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n <= 0) {
        return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                   ? no_room()
                   : file_error("the unpacked core", errno);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      at += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  std::unexpected<Error> no_room() const {
    return fail(ErrorKind::limit, 0,
                fmt::format("no room to unpack the core in {}: more than {} MiB are needed "
                            "(PYGC_CACHE_DIR names another directory)",
                            where_, (written_ - 1) >> 20));
  }

  UniqueFd fd_;
  std::string where_;
  std::uint64_t room_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t written_ = 0; // less than size_ where there are holes
};

/// The bytes at the front were read already, to see what they are.
Result<UniqueFd> unpack(int fd, const std::string& name, std::span<const std::byte> front,
                        const Unpacking& unpacking) {
  const Compression compression = compression_of(front);
  if (unpacking.says) {
    unpacking.says(compression == Compression::none
                       ? "reading " + name
                       : fmt::format("unpacking {} ({})", name, compression_name(compression)));
  }
  UnpackedFile file;
  if (auto created = file.create(unpacking.directory); !created) {
    return std::unexpected(created.error());
  }
  std::vector<std::byte> buffer(piece);
  bool first = true;
  const Source source = [&]() -> Result<std::span<const std::byte>> {
    if (std::exchange(first, false) && !front.empty()) {
      return front;
    }
    const auto size = read_some(fd, name, buffer, unpacking.cancelled);
    if (!size) {
      return std::unexpected(size.error());
    }
    return std::span<const std::byte>(buffer).first(*size);
  };
  const auto whole = decompress(
      compression, source, [&](std::span<const std::byte> bytes) { return file.append(bytes); });
  if (!whole) {
    Error error = whole.error();
    if (error.kind == ErrorKind::corrupt) {
      error.reason = name + ": " + error.reason;
    }
    return std::unexpected(std::move(error));
  }
  return file.finish();
}

} // namespace

Result<UniqueFd> open_packed_core(const std::string& path, const Unpacking& unpacking) {
  const bool from_input = path == standard_input;
  const std::string name = from_input ? "standard input" : path;
  // O_NONBLOCK: opening a FIFO that nobody writes must not hang the command.
  UniqueFd fd(from_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                         : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    return file_error(name, errno);
  }
  const bool regular = S_ISREG(status.st_mode);
  const bool streams = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
  if (!regular && !streams) {
    if (from_input) {
      return fail(ErrorKind::not_a_core, 0,
                  "standard input is no core; `zcat core.gz | pygc check -` would give it one");
    }
    return fd; // refused where it is read
  }
  if (streams && !from_input) {
    ::fcntl(fd.get(), F_SETFL, O_RDONLY); // a shell's `<(zcat core.gz)`: wait for what it writes
  }
  std::array<std::byte, 64> front{};
  std::size_t size = 0;
  while (size < front.size()) {
    const auto some =
        read_some(fd.get(), name, std::span(front).subspan(size), unpacking.cancelled);
    if (!some) {
      return std::unexpected(some.error());
    }
    if (*some == 0) {
      break;
    }
    size += *some;
  }
  const std::span<const std::byte> begin = std::span<const std::byte>(front).first(size);
  if (regular && compression_of(begin) == Compression::none) {
    return fd;
  }
  return unpack(fd.get(), name, begin, unpacking);
}

} // namespace pygc::target
