// The target's memory put together from its sources: what the core saved, and what the files behind
// its mappings supply for the rest. The analysis reads it through spans; the replayer maps it.
#pragma once

#include "common/base/error.h"
#include "common/image/demand_paging.h"
#include "common/target/target.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace pygc::image {

/// Where the bytes of a region come from.
enum class Source : std::uint8_t { saved, file, zero, missing };

struct Region {
  Address start = 0;
  Address end = 0;
  Source source = Source::missing;
  int fd = -1;              // for saved and file; owned by the AddressSpace
  std::uint64_t offset = 0; // in fd
  target::Permissions permissions;
  const std::byte* host = nullptr; // our own read-only view; nullptr for missing
  std::string why_missing;         // for missing: one sentence
};

class AddressSpace {
public:
  AddressSpace();
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;
  virtual ~AddressSpace();

  /// Adds a region (must not overlap others; call sort() after the last). Page-granular in the
  /// target and not beyond the last page of its file; the file is mapped for reading, once.
  Result<void> add(Region region);
  /// Takes over a descriptor that regions refer to.
  void own(int fd);
  /// The file `fd` has holes that the pager fills as they are touched, here and in the replayer.
  /// Before the first region of that file; the pager must stay.
  void page(int fd, target::Pager& pager) {
    paged_fd_ = fd;
    pager_ = &pager;
  }
  /// Puts the regions in order and joins neighbours that continue each other; from here on reads
  /// are allowed.
  void sort();

  const std::vector<Region>& regions() const { return regions_; }
  /// The bytes of the region come as they are touched.
  bool is_paged(const Region& region) const {
    return pager_ != nullptr && region.fd == paged_fd_ && region.host != nullptr;
  }
  /// Null when no region is paged.
  target::Pager* pager() const { return pager_; }
  /// The region that holds the address, or nullptr.
  const Region* find(Address address) const {
    const Recent* recent = lookup(address);
    return recent == nullptr ? nullptr : &regions_[recent->index];
  }

  /// Our view of [address, address+size), or nullptr when it does not lie in one region with bytes.
  const std::byte* host(Address address, std::size_t size) const {
    const Recent* recent = lookup(address);
    if (recent == nullptr || recent->host == nullptr) {
      return nullptr;
    }
    const std::uint64_t skip = address - recent->start;
    return recent->size - skip < size ? nullptr : recent->host + skip;
  }

  /// A view of [address, address+size) when it lies in one region with bytes.
  /// Errors: memory_unmapped, memory_not_saved, each with the first address that lacks.
  Result<std::span<const std::byte>> view(Address address, std::size_t size) const {
    if (const std::byte* bytes = host(address, size)) {
      return std::span(bytes, size);
    }
    return why_no_view(address, size);
  }
  /// Copies across neighbouring regions; all or nothing. Errors as view().
  Result<void> read(Address address, std::span<std::byte> to) const;

  template <class T>
    requires std::is_trivially_copyable_v<T>
  Result<T> load(Address address) const {
    T value;
    if (const std::byte* bytes = host(address, sizeof value)) {
      std::memcpy(&value, bytes, sizeof value);
      return value;
    }
    if (auto r = read(address, std::as_writable_bytes(std::span(&value, 1))); !r) {
      return std::unexpected(r.error());
    }
    return value;
  }
  /// A NUL-terminated string of at most `limit` bytes (cut there, not an error).
  Result<std::string> load_string(Address address, std::size_t limit = 256) const;

private:
  struct MappedFile {
    int fd = -1;
    std::byte* bytes = nullptr; // ours, read only
    std::uint64_t size = 0;     // whole pages
    std::unique_ptr<DemandPaging> paging = nullptr;
  };

  // What a lookup needs of a region, in half a cache line.
  struct Recent {
    Address start = 0;
    std::uint64_t size = 0;
    const std::byte* host = nullptr;
    std::size_t index = 0;
  };

  static constexpr std::size_t recent_count = 256;

  const Recent* lookup(Address address) const {
    const Recent& recent = recent_[(address >> 20U) % recent_count];
    return address - recent.start < recent.size ? &recent : lookup_slow(address);
  }
  const Recent* lookup_slow(Address address) const;

  Result<const std::byte*> map_file(int fd, std::uint64_t offset, std::uint64_t size);
  Result<const std::byte*> map_zeros(std::uint64_t size);
  Error lacking(Address address) const;
  std::unexpected<Error> why_no_view(Address address, std::size_t size) const;

  std::vector<Region> regions_;
  std::vector<int> owned_;
  std::vector<MappedFile> files_;
  int paged_fd_ = -1;
  target::Pager* pager_ = nullptr;
  mutable std::array<Recent, recent_count> recent_{}; // by megabyte: the region found last
};

} // namespace pygc::image
