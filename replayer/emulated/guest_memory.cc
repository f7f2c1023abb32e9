#include "replayer/emulated/guest_memory.h"

#include "common/machine/page.h"

#include <algorithm>
#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using ::pygc::machine::page_size;

// Regions this near to each other share an area. Reserving addresses costs nothing.
constexpr std::uint64_t max_gap = std::uint64_t{1} << 38;
// An image with more is made to waste time.
constexpr std::size_t max_areas = 256;

bool read_all(int fd, std::byte* to, std::uint64_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return false;
    }
    if (got == 0) {
      return true; // zeros behind the end of the file
    }
    to += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::uint64_t>(got);
  }
  return true;
}

std::byte* map(std::uint64_t size, int protection, int flags, int fd, std::uint64_t offset) {
  void* at = ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_NORESERVE | flags, fd,
                    static_cast<off_t>(offset));
  return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

std::byte* map_region(const protocol::RegionRecord& region, int protection, int fd) {
  const std::uint64_t size = region.end - region.start;
  if (region.source == protocol::Source::zero) {
    return map(size, protection, MAP_ANONYMOUS, -1, 0);
  }
  if (region.offset % page_size() == 0) {
    return map(size, protection, 0, fd, region.offset);
  }
  std::byte* at = map(size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1, 0);
  const bool filled = at != nullptr && read_all(fd, at, size, region.offset) &&
                      ::mprotect(at, size, protection) == 0;
  return filled ? at : nullptr;
}

} // namespace

bool GuestMemory::add(const protocol::RegionRecord& region, int fd) {
  if ((region.start | region.end) % page_size() != 0) {
    return false;
  }
  const auto protection = static_cast<int>(region.protection);
  const bool on_demand = region.source == protocol::Source::demand;
  std::byte* at =
      map_region(region, on_demand ? PROT_NONE : protection & (PROT_READ | PROT_WRITE), fd);
  if (at == nullptr) {
    return false;
  }
  regions_.push_back({region.start, region.end, at, protection, on_demand});
  return true;
}

bool GuestMemory::place(GuestRegion& region, const GuestArea& area) const {
  std::byte* wanted = area.host + (region.start - area.start);
  const std::uint64_t size = region.end - region.start;
  if (::mremap(region.host, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, wanted) != wanted) {
    return false;
  }
  region.host = wanted;
  return true;
}

std::uint64_t GuestMemory::arrange() {
  std::vector<GuestRegion> placed;
  for (auto first = regions_.begin(); first != regions_.end();) {
    auto last = first + 1;
    while (last != regions_.end() && last->start - (last - 1)->end <= max_gap) {
      ++last;
    }
    GuestArea area{first->start, (last - 1)->end, nullptr};
    if (areas_.size() < max_areas) {
      area.host = map(area.end - area.start, PROT_NONE, MAP_ANONYMOUS, -1, 0);
    }
    if (area.host != nullptr) {
      areas_.push_back(area);
      std::copy_if(first, last, std::back_inserter(placed),
                   [&](GuestRegion& region) { return place(region, area); });
    }
    first = last;
  }
  const std::uint64_t lost = regions_.size() - placed.size();
  regions_ = std::move(placed);
  return lost;
}

const GuestRegion* GuestMemory::find_slow(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(regions_, address, {}, &GuestRegion::start);
  if (after == regions_.begin() || address >= (after - 1)->end) {
    return nullptr;
  }
  const auto found = after - 1;
  recent_[slot(address)] = static_cast<std::uint32_t>(found - regions_.begin());
  return &*found;
}

std::uint64_t* GuestMemory::word(std::uint64_t address, int access) const {
  const GuestRegion* first = find(address);
  const GuestRegion* last = first;
  if (first != nullptr && first->end - address < sizeof(std::uint64_t)) {
    last = find(address + sizeof(std::uint64_t) - 1);
  }
  if (first == nullptr || last == nullptr || (first->protection & last->protection & access) == 0) {
    return nullptr;
  }
  return reinterpret_cast<std::uint64_t*>(first->host + (address - first->start));
}

std::optional<std::uint64_t> GuestMemory::load(std::uint64_t address) const {
  const std::uint64_t* from = word(address, PROT_READ);
  if (from == nullptr) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

} // namespace pygc::replayer
