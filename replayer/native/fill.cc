#include "replayer/native/fill.h"

#include "common/machine/page.h"

#include "replayer/native/machine.h"
#include "replayer/native/run_state.h"

#include <array>
#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

constexpr std::uint64_t huge_page = std::uint64_t{2} << 20;
// Of a huge page that is hardly used only these are kept: of stacks and of allocators' reserves a
// core has far more zeros than anything else.
constexpr std::uint64_t part = std::uint64_t{64} << 10;
constexpr std::uint64_t most_parts_kept = huge_page / part / 4;
constexpr std::uint64_t put_off_from = std::uint64_t{64} << 10;
constexpr std::size_t max_kept_files = 128;

struct Waiting {
  Fill piece;
  int fd;
};

std::array<Waiting, 4096> waiting;
std::size_t waiting_count = 0;
std::size_t kept_files = 0;

bool is_zero(std::uint64_t start, std::uint64_t end) {
  for (; start < end; start += sizeof(std::uint64_t)) {
    if (*reinterpret_cast<const std::uint64_t*>(start) != 0) {
      return false;
    }
  }
  return true;
}

/// Gives back what of the huge page at `start`, which has just been read, holds nothing.
bool thin_out(int fd, std::uint64_t offset, std::uint64_t start) {
  std::uint64_t used = 0; // a bit for each part
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < huge_page / part && count <= most_parts_kept; ++i) {
    if (!is_zero(start + i * part, start + (i + 1) * part)) {
      used |= std::uint64_t{1} << i;
      ++count;
    }
  }
  if (count > most_parts_kept ||
      machine::syscall(SYS_madvise, start, huge_page, MADV_DONTNEED) != 0) {
    return true;
  }
  if (count != 0) {
    machine::syscall(SYS_madvise, start, huge_page, MADV_NOHUGEPAGE);
  }
  bool whole = true;
  for (std::uint64_t i = 0; i < huge_page / part; ++i) {
    if ((used >> i & 1) != 0) {
      whole = read_at(fd, offset + i * part, start + i * part, start + (i + 1) * part) && whole;
    }
  }
  return whole;
}

bool read_large(const Fill& piece, int fd) {
  // The kernel may have none: then the pages are small, no more.
  machine::syscall(SYS_madvise, piece.first_page, piece.end_page - piece.first_page, MADV_HUGEPAGE);
  for (std::uint64_t at = piece.start; at < piece.end;) {
    const std::uint64_t behind = (at & ~(huge_page - 1)) + huge_page;
    const std::uint64_t end = behind < piece.end ? behind : piece.end;
    const std::uint64_t offset = piece.offset + (at - piece.start);
    if (!read_at(fd, offset, at, end) || (end - at == huge_page && !thin_out(fd, offset, at))) {
      return false;
    }
    at = end;
  }
  return true;
}

bool fill_now(const Fill& piece, int fd) {
  const std::uint64_t size = piece.end_page - piece.first_page;
  const bool large = size >= huge_page;
  if (fd >= 0 &&
      !(large ? read_large(piece, fd) : read_at(fd, piece.offset, piece.start, piece.end))) {
    return false;
  }
  return piece.protection == (PROT_READ | PROT_WRITE) ||
         machine::syscall(SYS_mprotect, piece.first_page, size, piece.protection) == 0;
}

} // namespace

bool read_at(int fd, std::uint64_t offset, std::uint64_t start, std::uint64_t end) {
  // One call for what else is a fault for each page. A kernel that does not know it does so.
  constexpr std::uint64_t populate_write = 23; // MADV_POPULATE_WRITE, since Linux 5.14
  const std::uint64_t first_page = ::pygc::machine::page_down(start);
  machine::syscall(SYS_madvise, first_page, end - first_page, populate_write);
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
  // Of a process of thousands of threads it takes a while: the analysis is to see that it goes on.
  volatile std::uint64_t& progress = in_window<replay::protocol::WindowHeader>(0)->progress;
  std::uint64_t failed = 0;
  for (std::size_t i = 0; i < waiting_count; ++i) {
    progress = progress + 1;
    failed += fill_now(waiting[i].piece, waiting[i].fd) ? 0u : 1u;
  }
  waiting_count = 0;
  return failed;
}

} // namespace pygc::replayer
