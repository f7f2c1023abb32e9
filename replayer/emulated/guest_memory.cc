#include "replayer/emulated/guest_memory.h"

#include "common/machine/page.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using ::pygc::machine::page_size;

// Regions this near to each other share an area. Reserving addresses costs nothing.
constexpr std::uint64_t max_gap = std::uint64_t{1} << 38;
// What is copied at a time, as one touch of it is followed by others.
constexpr std::uint64_t piece_size = std::uint64_t{64} << 10;
// An image with more is made to waste time.
constexpr std::size_t max_areas = 256;

std::byte* map(std::uint64_t size, int protection, int flags, int fd, std::uint64_t offset) {
  void* at = ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_NORESERVE | flags, fd,
                    static_cast<off_t>(offset));
  return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

} // namespace

bool GuestMemory::map_region(const protocol::RegionRecord& record, int fd, GuestRegion& region) {
  const std::uint64_t size = region.end - region.start;
  const int protection =
      region.on_demand ? PROT_NONE : region.protection & (PROT_READ | PROT_WRITE);
  if (record.source == protocol::Source::zero) {
    region.host = map(size, protection, MAP_ANONYMOUS, -1, 0);
    return region.host != nullptr;
  }
  const std::uint64_t shift = record.offset % page_size();
  if (shift == 0) {
    region.host = map(size, protection, 0, fd, record.offset);
    return region.host != nullptr;
  }
  // The file's pages are not the region's.
  struct stat status{};
  const std::byte* file = map(size + page_size(), PROT_READ, 0, fd, record.offset - shift);
  region.host = map(size, PROT_NONE, MAP_ANONYMOUS, -1, 0);
  if (region.host == nullptr || ::fstat(fd, &status) != 0) {
    return false;
  }
  region.first_piece = filled_.size();
  filled_.resize(filled_.size() + (size + piece_size - 1) / piece_size);
  if (file == nullptr) {
    return keep(record, fd, region);
  }
  const auto file_size = static_cast<std::uint64_t>(status.st_size);
  region.source = file + shift;
  region.source_size =
      record.offset < file_size ? std::min(size, file_size - record.offset) : std::uint64_t{0};
  return true;
}

bool GuestMemory::keep(const protocol::RegionRecord& record, int fd, GuestRegion& region) {
  struct stat kept{};
  struct stat wanted{};
  if (kept_file_ < 0) {
    kept_file_ = ::fcntl(fd, F_DUPFD_CLOEXEC, protocol::control_fd + 1);
  }
  region.kept_offset = record.offset;
  region.source_size = region.end - region.start;
  return ::fstat(kept_file_, &kept) == 0 && ::fstat(fd, &wanted) == 0 &&
         kept.st_dev == wanted.st_dev && kept.st_ino == wanted.st_ino;
}

bool GuestMemory::add(const protocol::RegionRecord& record, int fd) {
  if ((record.start | record.end) % page_size() != 0) {
    return false;
  }
  GuestRegion region{.start = record.start,
                     .end = record.end,
                     .protection = static_cast<int>(record.protection),
                     .on_demand = record.source == protocol::Source::demand};
  if (!map_region(record, fd, region)) {
    return false;
  }
  regions_.push_back(region);
  return true;
}

bool GuestMemory::copy_piece(const GuestRegion& region, std::uint64_t offset, std::byte* to) const {
  const std::uint64_t size =
      offset < region.source_size ? std::min(piece_size, region.source_size - offset) : 0;
  if (!region.kept_offset) {
    std::memcpy(to, region.source + offset, size);
    return true;
  }
  return ::pread(kept_file_, to, size, static_cast<off_t>(*region.kept_offset + offset)) ==
         static_cast<ssize_t>(size);
}

bool GuestMemory::fill(std::uint64_t address) {
  const GuestRegion* region = find(address);
  if (region == nullptr || (region->source == nullptr && !region->kept_offset)) {
    return false;
  }
  const std::uint64_t piece = (address - region->start) / piece_size;
  if (filled_[region->first_piece + piece]) {
    return false;
  }
  const std::uint64_t offset = piece * piece_size;
  const std::uint64_t size = std::min(piece_size, region->end - region->start - offset);
  std::byte* to = region->host + offset;
  if (::mprotect(to, size, PROT_READ | PROT_WRITE) != 0) {
    return false;
  }
  // One call for what else is a fault for each page. A kernel that does not know it (before 5.14)
  // does so.
  ::madvise(to, size, MADV_POPULATE_WRITE);
  if (!copy_piece(*region, offset, to)) {
    return false;
  }
  filled_[region->first_piece + piece] = true;
  const int protection = region->protection & (PROT_READ | PROT_WRITE);
  return protection == (PROT_READ | PROT_WRITE) || ::mprotect(to, size, protection) == 0;
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
