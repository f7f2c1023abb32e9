#include "common/replay/written_memory.h"

#include "common/base/unique_fd.h"
#include "common/machine/page.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::replay {
namespace {

// Shorter holes are not worth a region of their own.
constexpr std::uint64_t least_hole = std::uint64_t{512} << 10U;
// Pages of our own that are asked about at once.
constexpr std::size_t pages_at_once = std::size_t{1} << 16U;
// Of an entry of /proc/PID/pagemap.
constexpr std::uint64_t present = std::uint64_t{1} << 63U;
constexpr std::uint64_t swapped = std::uint64_t{1} << 62U;

/// Puts the region together again without the holes that are told, in ascending order.
class Cutter {
public:
  explicit Cutter(const image::Region& region) : region_(region), at_(region.start) {}

  /// Offsets in the region's file.
  void hole(std::uint64_t from, std::uint64_t to) {
    const Address start = machine::page_up(region_.start + (from - region_.offset));
    const Address end =
        std::min(region_.end, machine::page_down(region_.start + (to - region_.offset)));
    if (start + least_hole <= end) {
      add(start);
      at_ = end;
    }
  }

  std::vector<image::Range> finish() {
    add(region_.end);
    return std::move(written_);
  }

private:
  void add(Address end) {
    if (at_ < end) {
      written_.push_back({.start = at_, .end = end});
    }
  }

  const image::Region& region_;
  Address at_;
  std::vector<image::Range> written_;
};

/// A core in our own memory is read by way of /proc/self/mem: its offsets are addresses.
bool is_own_memory(int fd) {
  struct stat one{};
  struct stat other{};
  return ::fstat(fd, &one) == 0 && ::stat("/proc/self/mem", &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void find_absent_pages(std::uint64_t start, std::uint64_t end, Cutter& cutter) {
  const UniqueFd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  const std::uint64_t page = machine::page_size();
  if (!pagemap) {
    return;
  }
  std::vector<std::uint64_t> entries;
  std::uint64_t first_absent = start;
  std::uint64_t at = machine::page_down(start);
  while (at < end) {
    entries.resize(std::min<std::uint64_t>(pages_at_once, (end - at + page - 1) / page));
    const std::size_t size = entries.size() * sizeof(std::uint64_t);
    if (::pread(pagemap.get(), entries.data(), size,
                static_cast<off_t>(at / page * sizeof(std::uint64_t))) !=
        static_cast<ssize_t>(size)) {
      return;
    }
    for (const std::uint64_t entry : entries) {
      if ((entry & (present | swapped)) != 0) {
        cutter.hole(first_absent, std::max(first_absent, at));
        first_absent = at + page;
      }
      at += page;
    }
  }
  cutter.hole(std::min(first_absent, end), end);
}

void find_file_holes(int fd, std::uint64_t start, std::uint64_t end, Cutter& cutter) {
  for (std::uint64_t at = start; at < end;) {
    const off_t data = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno != ENXIO) { // no file that knows
      return;
    }
    const std::uint64_t begin = data < 0 ? end : std::min(end, static_cast<std::uint64_t>(data));
    cutter.hole(at, begin);
    const off_t hole = ::lseek(fd, static_cast<off_t>(begin), SEEK_HOLE);
    if (hole < 0 || static_cast<std::uint64_t>(hole) <= begin) {
      return;
    }
    at = static_cast<std::uint64_t>(hole);
  }
}

} // namespace

std::vector<image::Range> written_memory(const image::Region& region) {
  Cutter cutter(region);
  const std::uint64_t size = region.end - region.start;
  if (size >= least_hole && is_own_memory(region.fd)) {
    find_absent_pages(region.offset, region.offset + size, cutter);
  } else if (size >= least_hole) {
    find_file_holes(region.fd, region.offset, region.offset + size, cutter);
  }
  return cutter.finish();
}

} // namespace pygc::replay
