#include "common/base/write_all.h"

#include <cerrno>
#include <unistd.h>

namespace pygc {
namespace {

template <class Write> int write_whole(std::span<const std::byte> bytes, Write write) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(bytes.subspan(done), done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return n < 0 ? errno : EIO;
    }
    done += static_cast<std::size_t>(n);
  }
  return 0;
}

} // namespace

int write_all(int fd, std::span<const std::byte> bytes) {
  return write_whole(bytes, [fd](std::span<const std::byte> rest, std::size_t /*done*/) {
    return ::write(fd, rest.data(), rest.size());
  });
}

int write_all_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  return write_whole(bytes, [fd, offset](std::span<const std::byte> rest, std::size_t done) {
    return ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

int write_all(int fd, std::string_view text) {
  return write_all(fd, std::as_bytes(std::span(text)));
}

} // namespace pygc
