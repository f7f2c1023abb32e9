#include "common/base/output_file.h"

#include "common/base/write_all.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

namespace pygc {
namespace {

constexpr int link_limit = 40; // as the kernel's own
constexpr std::size_t copy_size = std::size_t{1} << 20U;

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

bool in_proc(const std::string& path) {
  struct statfs status{};
  return ::statfs(directory_of(path).c_str(), &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

std::string descriptor_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

} // namespace

OutputFile::Temporary::~Temporary() {
  if (!path.empty()) {
    ::unlink(path.c_str());
  }
}

std::unexpected<Error> OutputFile::error(int code) const {
  const ErrorKind kind = code == ENOENT                                     ? ErrorKind::not_found
                         : code == EACCES || code == EPERM || code == EROFS ? ErrorKind::permission
                                                                            : ErrorKind::io;
  return fail(kind, 0, "cannot write " + asked_ + ": " + std::strerror(code));
}

Result<OutputFile> OutputFile::open(const std::string& path, mode_t mode) {
  OutputFile file(path);
  if (auto prepared = file.prepare(mode); !prepared) {
    return std::unexpected(prepared.error());
  }
  return file;
}

Result<void> OutputFile::prepare(mode_t mode) {
  struct stat status{};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) {
    return error(errno);
  }
  direct_ = exists && !S_ISREG(status.st_mode);
  for (int links = 0; !direct_; ++links) {
    std::error_code code;
    const auto target = std::filesystem::read_symlink(path_, code);
    if (code) {
      break; // not a link
    }
    if (links == link_limit) {
      return error(ELOOP);
    }
    // A descriptor: its file is not ours to replace, others write to it as well.
    direct_ = exists && in_proc(path_);
    if (!direct_) {
      path_ = (std::filesystem::path(directory_of(path_)) / target).string();
    }
  }
  if (direct_) {
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY));
    return fd_ ? Result<void>{} : error(errno);
  }
  if (exists) {
    existing_ = status;
    // That its directory is ours makes a file that we may not write no writable one.
    if (::faccessat(AT_FDCWD, path_.c_str(), W_OK, AT_EACCESS) != 0) {
      return error(errno);
    }
  }
  if (create_beside(mode)) {
    beside_ = !exists || (status.st_nlink == 1 && keep_identity());
    return {};
  }
  const int code = errno;
  if (!exists || (code != EACCES && code != EPERM && code != EROFS)) {
    return error(code);
  }
  fd_.reset(::memfd_create("pygc-output", MFD_CLOEXEC));
  return fd_ ? Result<void>{} : error(errno);
}

bool OutputFile::create_beside(mode_t mode) {
  const std::string directory = directory_of(path_);
  fd_.reset(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
  if (fd_ || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
    return static_cast<bool>(fd_);
  }
  // A file system without files that have no name.
  std::string name = path_ + ".XXXXXX";
  fd_.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd_) {
    return false;
  }
  temporary_.path = std::move(name);
  const mode_t mask = ::umask(0); // only so can it be read
  ::umask(mask);
  return ::fchmod(fd_.get(), mode & ~mask) == 0;
}

/// Whether the new file could be given owner, group and mode of the old one.
bool OutputFile::keep_identity() const {
  struct stat own{};
  if (::fstat(fd_.get(), &own) != 0) {
    return false;
  }
  const bool same = own.st_uid == existing_->st_uid && own.st_gid == existing_->st_gid;
  return (same || ::fchown(fd_.get(), existing_->st_uid, existing_->st_gid) == 0) &&
         ::fchmod(fd_.get(), existing_->st_mode & 07777U) == 0;
}

Result<void> OutputFile::write(std::span<const std::byte> bytes) {
  if (!direct_ && ::lseek(fd_.get(), size_, SEEK_SET) < 0) {
    return error(errno);
  }
  if (const int code = write_all(fd_.get(), bytes); code != 0) {
    return error(code);
  }
  size_ += static_cast<off_t>(bytes.size());
  return {};
}

Result<void> OutputFile::skip(std::size_t size) {
  if (!direct_) {
    size_ += static_cast<off_t>(size);
    return {};
  }
  const std::vector<std::byte> zeros(std::min(size, copy_size));
  while (size > 0) {
    const std::size_t part = std::min(size, zeros.size());
    if (auto written = write(std::span(zeros).first(part)); !written) {
      return written;
    }
    size -= part;
  }
  return {};
}

Result<void> OutputFile::commit() {
  if (direct_) {
    return {};
  }
  if (::ftruncate(fd_.get(), size_) != 0) {
    return error(errno);
  }
  if (beside_) {
    if (rename_over()) {
      return {};
    }
    if (!existing_) {
      return error(errno);
    }
  }
  return copy_into();
}

/// The file gets a name of its own for the moment, since only rename() replaces.
bool OutputFile::rename_over() {
  if (!temporary_.path.empty()) {
    const bool renamed = ::rename(temporary_.path.c_str(), path_.c_str()) == 0;
    if (renamed) {
      temporary_.path.clear();
    }
    return renamed;
  }
  static std::atomic<std::uint32_t> next{0};
  std::string name;
  int linked = 0;
  do {
    name = path_ + "." + std::to_string(::getpid()) + "." + std::to_string(next++) + ".tmp";
    linked = ::linkat(AT_FDCWD, descriptor_path(fd_.get()).c_str(), AT_FDCWD, name.c_str(),
                      AT_SYMLINK_FOLLOW);
  } while (linked != 0 && errno == EEXIST);
  if (linked != 0) {
    return false;
  }
  if (::rename(name.c_str(), path_.c_str()) != 0) {
    const int code = errno;
    ::unlink(name.c_str());
    errno = code;
    return false;
  }
  return true;
}

Result<void> OutputFile::copy_into() const {
  const UniqueFd to(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  if (!to) {
    return error(errno);
  }
  struct stat status{};
  if (::fstat(to.get(), &status) != 0) {
    return error(errno);
  }
  // The room first: nothing of the old file is touched as long as the new one may not fit.
  if (size_ > status.st_size) {
    if (const int code = ::posix_fallocate(to.get(), status.st_size, size_ - status.st_size);
        code != 0) {
      const int back = ::ftruncate(to.get(), status.st_size);
      return error(back == 0 ? code : errno);
    }
  }
  std::vector<std::byte> buffer(copy_size);
  for (off_t done = 0; done < size_;) {
    const ssize_t n = ::pread(fd_.get(), buffer.data(), buffer.size(), done);
    if (n <= 0) {
      return error(n < 0 ? errno : EIO);
    }
    if (const int code = write_all(to.get(), std::span(buffer).first(static_cast<std::size_t>(n)));
        code != 0) {
      return error(code);
    }
    done += n;
  }
  return ::ftruncate(to.get(), size_) == 0 ? Result<void>{} : error(errno);
}

} // namespace pygc
