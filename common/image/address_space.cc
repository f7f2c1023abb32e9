#include "common/image/address_space.h"

#include "common/base/numbers.h"
#include "common/machine/machine.h"
#include "common/machine/page.h"

#include <algorithm>
#include <cerrno>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::image {
namespace {

bool continues(const Region& a, const Region& b) {
  if (a.end != b.start || a.source != b.source || a.fd != b.fd ||
      a.permissions.read != b.permissions.read || a.permissions.write != b.permissions.write ||
      a.permissions.execute != b.permissions.execute) {
    return false;
  }
  switch (a.source) {
  case Source::saved:
  case Source::file:
    return b.offset - a.offset == a.end - a.start && b.offset > a.offset;
  case Source::zero:
    return false; // each has a mapping of its own
  case Source::missing:
    return a.why_missing == b.why_missing;
  }
  return false;
}

/// Whether it is of /proc/self/mem, as that of a core in our own memory is: its offsets are
/// addresses.
bool is_own_memory(int fd) {
  struct stat one{};
  struct stat other{};
  return ::fstat(fd, &one) == 0 && ::stat("/proc/self/mem", &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

} // namespace

AddressSpace::AddressSpace() = default;

AddressSpace::~AddressSpace() {
  for (MappedFile& file : files_) {
    file.paging.reset();
    if (file.bytes != nullptr) {
      ::munmap(file.bytes, file.size);
    }
  }
  for (const int fd : owned_) {
    ::close(fd);
  }
}

void AddressSpace::own(int fd) {
  owned_.push_back(fd);
}

Result<const std::byte*> AddressSpace::map_file(int fd, std::uint64_t offset, std::uint64_t size) {
  auto file = std::ranges::find(files_, fd, &MappedFile::fd);
  if (file == files_.end() && is_own_memory(fd)) {
    files_.push_back({.fd = fd, .bytes = nullptr, .size = machine::user_space_end});
    file = std::prev(files_.end());
  }
  if (file == files_.end()) {
    struct stat status{};
    if (::fstat(fd, &status) != 0 || status.st_size <= 0) {
      return fail(ErrorKind::io, 0, "a file of the image cannot be examined or is empty");
    }
    // The last page is there whole, zeros behind the end of the file.
    const std::uint64_t whole = machine::page_up(static_cast<std::uint64_t>(status.st_size));
    const bool paged = pager_ != nullptr && fd == paged_fd_;
    void* bytes =
        ::mmap(nullptr, whole, paged ? PROT_NONE : PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (bytes == MAP_FAILED) {
      return fail(ErrorKind::io, 0,
                  std::string("a file of the image cannot be mapped: ") + std::strerror(errno));
    }
    files_.push_back({.fd = fd, .bytes = static_cast<std::byte*>(bytes), .size = whole});
    file = std::prev(files_.end());
    if (paged) {
      file->paging = std::make_unique<DemandPaging>(file->bytes, whole, *pager_);
    }
  }
  if (offset > file->size || size > file->size - offset) {
    return fail(ErrorKind::truncated, 0, "a region lies beyond the end of its file");
  }
  return file->bytes == nullptr ? reinterpret_cast<const std::byte*>(offset) : file->bytes + offset;
}

Result<const std::byte*> AddressSpace::map_zeros(std::uint64_t size) {
  void* bytes =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) {
    return fail(ErrorKind::limit, 0, "no address space is left for zeroed memory");
  }
  files_.push_back({.fd = -1, .bytes = static_cast<std::byte*>(bytes), .size = size});
  return static_cast<const std::byte*>(bytes);
}

Result<void> AddressSpace::add(Region region) {
  if (region.start >= region.end || region.start % machine::page_size() != 0 ||
      region.end % machine::page_size() != 0) {
    return fail(ErrorKind::corrupt, region.start, "a region is empty or not made of whole pages");
  }
  const std::uint64_t size = region.end - region.start;
  Result<const std::byte*> bytes = nullptr;
  if (region.source == Source::saved || region.source == Source::file) {
    bytes = map_file(region.fd, region.offset, size);
  } else if (region.source == Source::zero) {
    bytes = map_zeros(size);
  }
  if (!bytes) {
    return std::unexpected(
        Error{.kind = bytes.error().kind, .address = region.start, .reason = bytes.error().reason});
  }
  region.host = *bytes;
  regions_.push_back(std::move(region));
  return {};
}

void AddressSpace::sort() {
  std::ranges::sort(regions_, {}, &Region::start);
  std::vector<Region> joined;
  joined.reserve(regions_.size());
  for (Region& region : regions_) {
    if (!joined.empty() && continues(joined.back(), region)) {
      joined.back().end = region.end;
    } else {
      joined.push_back(std::move(region));
    }
  }
  regions_ = std::move(joined);
  recent_.fill({});
}

const AddressSpace::Recent* AddressSpace::lookup_slow(Address address) const {
  const auto after = std::ranges::upper_bound(regions_, address, {}, &Region::start);
  if (after == regions_.begin()) {
    return nullptr;
  }
  const auto region = std::prev(after);
  if (address >= region->end) {
    return nullptr;
  }
  Recent& recent = recent_[(address >> 20U) % recent_count];
  recent = {.start = region->start,
            .size = region->end - region->start,
            .host = region->host,
            .index = static_cast<std::size_t>(region - regions_.begin())};
  return &recent;
}

Error AddressSpace::lacking(Address address) const {
  const Region* region = find(address);
  if (region == nullptr) {
    return {.kind = ErrorKind::memory_unmapped,
            .address = address,
            .reason = "the target has no memory at " + hex(address)};
  }
  return {.kind = ErrorKind::memory_not_saved,
          .address = address,
          .reason = "the memory at " + hex(address) + " is not available: " + region->why_missing};
}

std::unexpected<Error> AddressSpace::why_no_view(Address address, std::size_t size) const {
  Address at = address;
  std::uint64_t left = size;
  for (const Region* region = find(at); region != nullptr && region->host != nullptr;
       region = find(at)) {
    const std::uint64_t here = region->end - at;
    if (here >= left) {
      // All of it is there, in more than one piece: read() can copy what view() cannot show.
      return fail(ErrorKind::memory_unmapped, address,
                  "the memory at " + hex(address) + " lies in more than one region");
    }
    at = region->end;
    left -= here;
  }
  return std::unexpected(lacking(at));
}

Result<void> AddressSpace::read(Address address, std::span<std::byte> to) const {
  Address at = address;
  std::size_t done = 0;
  while (done < to.size()) {
    const Region* region = find(at);
    if (region == nullptr || region->host == nullptr) {
      return std::unexpected(lacking(at));
    }
    const std::size_t n = std::min<std::uint64_t>(region->end - at, to.size() - done);
    std::memcpy(to.data() + done, region->host + (at - region->start), n);
    done += n;
    at += n;
  }
  return {};
}

Result<std::string> AddressSpace::load_string(Address address, std::size_t limit) const {
  std::string text;
  Address at = address;
  while (text.size() < limit) {
    const Region* region = find(at);
    if (region == nullptr || region->host == nullptr) {
      return std::unexpected(lacking(at));
    }
    const std::size_t n = std::min<std::uint64_t>(region->end - at, limit - text.size());
    const auto* from = reinterpret_cast<const char*>(region->host + (at - region->start));
    const std::size_t length = ::strnlen(from, n);
    text.append(from, length);
    if (length < n) {
      break;
    }
    at += n;
  }
  return text;
}

} // namespace pygc::image
