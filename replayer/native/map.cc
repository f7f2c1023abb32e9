#include "replayer/native/map.h"

#include "common/machine/machine.h"
#include "common/machine/page.h"
#include "replayer/native/demand.h"
#include "replayer/native/fetch.h"
#include "replayer/native/fill.h"
#include "replayer/native/machine.h"

#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using ::pygc::machine::page_down;
using ::pygc::machine::page_size;
using ::pygc::machine::page_up;

constexpr std::uint64_t target_stack_size = std::uint64_t{8} << 20;
// Around what may be the vdso and its data pages, where the kernel refuses to unmap them.
constexpr std::uint64_t vdso_margin = std::uint64_t{64} << 10;

// Regions come in ascending order: the end of the last page mapped.
std::uint64_t mapped_end = 0;

bool unmap(std::uint64_t start, std::uint64_t end) {
  return start >= end || machine::syscall(SYS_munmap, start, end - start) == 0;
}

std::int64_t map_at(std::uint64_t start, std::uint64_t end, int protection, int flags, int fd,
                    std::uint64_t offset) {
  return machine::syscall(SYS_mmap, start, end - start, static_cast<std::uint64_t>(protection),
                          static_cast<std::uint64_t>(flags | MAP_FIXED_NOREPLACE | MAP_NORESERVE),
                          static_cast<std::uint64_t>(fd), offset);
}

MapOutcome outcome_of(std::int64_t result, std::uint64_t wanted) {
  if (result == static_cast<std::int64_t>(wanted)) {
    return MapOutcome::mapped;
  }
  // A kernel before 4.17 takes the address for a hint; what it mapped elsewhere goes with the
  // process.
  return result >= 0 || result == -EEXIST ? MapOutcome::clash : MapOutcome::failed;
}

/// Memory of its own for [start, end) of the region, filled from the file unless fd < 0. A first
/// page that the region before has mapped already is shared, and keeps the permission to write.
MapOutcome map_copy(const protocol::RegionRecord& region, std::uint64_t start, std::uint64_t end,
                    int fd) {
  const std::uint64_t first = page_down(start) < mapped_end ? mapped_end : page_down(start);
  const std::uint64_t last = page_up(end);
  if (first < last) {
    const auto outcome = outcome_of(
        map_at(first, last, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), first);
    if (outcome != MapOutcome::mapped) {
      return outcome;
    }
    mapped_end = last;
  }
  const bool whole = start == first && end == last;
  const auto writable = static_cast<std::uint32_t>(PROT_READ | PROT_WRITE);
  return fill({.start = start,
               .end = end,
               .offset = region.offset + (start - region.start),
               .first_page = page_down(start),
               .end_page = last,
               .protection = region.protection | (whole ? 0 : writable)},
              fd)
             ? MapOutcome::mapped
             : MapOutcome::failed;
}

MapOutcome map_file(const protocol::RegionRecord& region, int fd) {
  const std::uint64_t whole_start = page_up(region.start);
  const std::uint64_t whole_end = page_down(region.end);
  const std::uint64_t offset = region.offset + (whole_start - region.start);
  if (whole_start >= whole_end || offset % page_size() != 0 || whole_start < mapped_end) {
    return map_copy(region, region.start, region.end, fd);
  }
  if (region.start < whole_start) {
    if (const auto outcome = map_copy(region, region.start, whole_start, fd);
        outcome != MapOutcome::mapped) {
      return outcome;
    }
  }
  const bool later =
      region.source == protocol::Source::demand || region.source == protocol::Source::fetch;
  const auto outcome = outcome_of(map_at(whole_start, whole_end,
                                         later ? PROT_NONE : static_cast<int>(region.protection),
                                         MAP_PRIVATE, fd, offset),
                                  whole_start);
  if (outcome == MapOutcome::failed) {
    return map_copy(region, whole_start, region.end, fd); // such as code on a noexec file system
  }
  if (outcome != MapOutcome::mapped) {
    return outcome;
  }
  mapped_end = whole_end;
  return whole_end < region.end ? map_copy(region, whole_end, region.end, fd) : outcome;
}

bool is_aligned(const protocol::RegionRecord& region) {
  return (region.start | region.end | region.offset) % page_size() == 0;
}

/// Nothing yet where the region is going to be.
MapOutcome map_nothing(const protocol::RegionRecord& region) {
  const auto outcome =
      outcome_of(map_at(region.start, region.end, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                 region.start);
  if (outcome == MapOutcome::mapped) {
    mapped_end = region.end;
  }
  return outcome;
}

MapOutcome map_to_fetch(protocol::RegionRecord region, int fd) {
  const bool whole_pages = (region.start | region.end) % page_size() == 0;
  if (!whole_pages || region.start < mapped_end || !add_fetch(region, fd, is_aligned(region))) {
    region.source = protocol::Source::file;
    return map_file(region, fd);
  }
  return is_aligned(region) ? map_file(region, fd) : map_nothing(region);
}

MapOutcome map_on_demand(const protocol::RegionRecord& region, int fd) {
  if (!is_aligned(region) || region.start < mapped_end || !add_demand(region)) {
    return MapOutcome::failed;
  }
  return map_file(region, fd);
}

} // namespace

void clear_address_space(std::uint64_t vdso) {
  const std::uint64_t image_end = page_up(machine::own_image_end());
  unmap(0, protocol::own_start);
  if (unmap(image_end, ::pygc::machine::user_space_end) || vdso < image_end + vdso_margin) {
    return;
  }
  // A kernel that seals its mappings: leave those, a clash with them is noticed.
  const std::uint64_t vdso_end = page_down(vdso) + vdso_margin;
  unmap(image_end, page_down(vdso) - vdso_margin);
  unmap(vdso_end, ::pygc::machine::user_space_end);
}

bool map_own_areas(int window_fd, std::uint64_t window_size) {
  // Unmapped pages below and above: an endless recursion faults.
  const std::uint64_t stack = protocol::own_stack;
  return outcome_of(map_at(stack, stack + target_stack_size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                    stack) == MapOutcome::mapped &&
         outcome_of(map_at(protocol::own_window, protocol::own_window + window_size,
                           PROT_READ | PROT_WRITE, MAP_SHARED, window_fd, 0),
                    protocol::own_window) == MapOutcome::mapped;
}

MapOutcome map_region(const protocol::RegionRecord& region, int fd) {
  switch (region.source) {
  case protocol::Source::file:
    return map_file(region, fd);
  case protocol::Source::demand:
    return map_on_demand(region, fd);
  case protocol::Source::fetch:
    return map_to_fetch(region, fd);
  case protocol::Source::copy:
    return map_copy(region, region.start, region.end, fd);
  case protocol::Source::zero:
    break;
  }
  return map_copy(region, region.start, region.end, -1);
}

bool map_walked(std::uint64_t capacity) {
  const std::uint64_t start = protocol::own_nodes;
  const std::uint64_t end = page_up(start + capacity * sizeof(std::uint64_t));
  if (capacity == 0 || capacity > protocol::max_walked ||
      outcome_of(map_at(start, end, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                 start) != MapOutcome::mapped) {
    return false;
  }
  machine::syscall(SYS_madvise, start, end - start, MADV_HUGEPAGE);
  return true;
}

std::uint64_t target_stack_top() {
  return protocol::own_stack + target_stack_size;
}

} // namespace pygc::replayer
