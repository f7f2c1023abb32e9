#include "replayer/native/fetch.h"

#include "replayer/native/fill.h"
#include "replayer/native/machine.h"

#include <array>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

constexpr std::uint64_t chunk = std::uint64_t{2} << 20;
constexpr std::size_t max_fetch_files = 16;
// Of a piece at the edge of a region: from this size on a huge page pays.
constexpr std::uint64_t large_edge = std::uint64_t{256} << 10;

struct Fetch {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint32_t protection = 0;
  int fd = -1;
};

std::array<Fetch, 32768> fetches;
std::size_t fetch_count = 0;
std::array<int, max_fetch_files> kept;
std::size_t kept_count = 0;

// Memory beside regions, lent to them until the end of the walk: a huge page is aligned, and a
// region is not.
struct Lent {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};
std::array<Lent, 4096> lent;
std::size_t lent_count = 0;

// What was read last: a fault there once more is one that more memory does not mend.
std::uint64_t last_start = 0;
std::uint64_t last_end = 0;

const Fetch* fetch_at(std::uint64_t address) {
  std::size_t first = 0;
  std::size_t last = fetch_count;
  while (first < last) {
    const std::size_t middle = (first + last) / 2;
    if (address >= fetches[middle].end) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first < fetch_count && address >= fetches[first].start ? &fetches[first] : nullptr;
}

bool map_fresh(std::uint64_t start, std::uint64_t end, int flags) {
  flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  return machine::syscall(SYS_mmap, start, end - start, PROT_READ | PROT_WRITE,
                          static_cast<std::uint64_t>(flags), ~std::uint64_t{0},
                          0) == static_cast<std::int64_t>(start);
}

/// Where nothing else is mapped.
bool lend(std::uint64_t start, std::uint64_t end) {
  if (start >= end || lent_count == lent.size() || !map_fresh(start, end, MAP_FIXED_NOREPLACE)) {
    return false;
  }
  lent[lent_count++] = {start, end};
  return true;
}

} // namespace

bool add_fetch(const protocol::RegionRecord& region, int fd) {
  const bool another = kept_count == 0 || kept[kept_count - 1] != fd;
  if (fetch_count == fetches.size() || (another && kept_count == kept.size())) {
    return false;
  }
  if (another) {
    kept[kept_count++] = fd;
  }
  fetches[fetch_count++] = {region.start, region.end, region.offset, region.protection, fd};
  return true;
}

bool keep_for_fetch(int fd) {
  for (std::size_t i = 0; i < kept_count; ++i) {
    if (kept[i] == fd) {
      return true;
    }
  }
  return false;
}

bool fetch(std::uint64_t address) {
  const Fetch* region = fetch_at(address);
  if (region == nullptr || (address >= last_start && address < last_end)) {
    return false;
  }
  const std::uint64_t floor = address & ~(chunk - 1);
  last_start = floor < region->start ? region->start : floor;
  last_end = region->end - last_start < chunk - (last_start - floor) ? region->end : floor + chunk;
  const std::uint64_t size = last_end - last_start;
  if (!map_fresh(last_start, last_end, MAP_FIXED)) {
    return false;
  }
  std::uint64_t first = last_start;
  std::uint64_t last = last_end;
  if (size >= large_edge) {
    first = lend(floor, last_start) ? floor : first;
    last = lend(last_end, floor + chunk) ? floor + chunk : last;
  }
  // The kernel may have none: then the pages are small, no more.
  machine::syscall(SYS_madvise, first, last - first, MADV_HUGEPAGE);
  return read_at(region->fd, region->offset + (last_start - region->start), last_start, last_end);
}

std::uint64_t finish_fetches() {
  std::uint64_t failed = 0;
  for (std::size_t i = 0; i < lent_count; ++i) {
    failed +=
        machine::syscall(SYS_munmap, lent[i].start, lent[i].end - lent[i].start) == 0 ? 0u : 1u;
  }
  lent_count = 0;
  for (std::size_t i = 0; i < fetch_count; ++i) {
    const Fetch& region = fetches[i];
    failed += machine::syscall(SYS_mprotect, region.start, region.end - region.start,
                               region.protection) == 0
                  ? 0u
                  : 1u;
  }
  fetch_count = 0;
  return failed;
}

} // namespace pygc::replayer
