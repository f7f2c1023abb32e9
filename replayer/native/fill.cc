#include "replayer/native/fill.h"

#include "replayer/native/machine.h"

#include <array>
#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

constexpr std::uint64_t huge_page = std::uint64_t{2} << 20;
constexpr std::uint64_t put_off_from = std::uint64_t{64} << 10;
constexpr std::size_t max_kept_files = 128;

struct Waiting {
  Fill piece;
  int fd;
};

std::array<Waiting, 4096> waiting;
std::size_t waiting_count = 0;
std::size_t kept_files = 0;

bool fill_now(const Fill& piece, int fd) {
  const std::uint64_t size = piece.end_page - piece.first_page;
  if (fd >= 0) {
    if (size >= huge_page) {
      // The kernel may have none: then the pages are small, no more.
      machine::syscall(SYS_madvise, piece.first_page, size, MADV_HUGEPAGE);
    }
    if (!read_at(fd, piece.offset, piece.start, piece.end)) {
      return false;
    }
  }
  return piece.protection == (PROT_READ | PROT_WRITE) ||
         machine::syscall(SYS_mprotect, piece.first_page, size, piece.protection) == 0;
}

} // namespace

bool read_at(int fd, std::uint64_t offset, std::uint64_t start, std::uint64_t end) {
  while (start < end) {
    const std::int64_t got =
        machine::syscall(SYS_pread64, static_cast<std::uint64_t>(fd), start, end - start, offset);
    if (got == -EINTR) {
      continue;
    }
    if (got < 0) {
      return false;
    }
    if (got == 0) {
      return true;
    }
    start += static_cast<std::uint64_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

bool fill(const Fill& piece, int fd) {
  const bool can_wait = waiting_count < waiting.size() && kept_files < max_kept_files;
  if (fd < 0 || piece.end - piece.start < put_off_from || !can_wait) {
    return fill_now(piece, fd);
  }
  waiting[waiting_count++] = {piece, fd};
  return true;
}

bool keep_for_fill(int fd) {
  for (std::size_t i = waiting_count; i-- > 0;) {
    if (waiting[i].fd == fd) {
      ++kept_files;
      return true;
    }
  }
  return false;
}

std::uint64_t finish_fills() {
  std::uint64_t failed = 0;
  for (std::size_t i = 0; i < waiting_count; ++i) {
    failed += fill_now(waiting[i].piece, waiting[i].fd) ? 0u : 1u;
  }
  waiting_count = 0;
  return failed;
}

} // namespace pygc::replayer
