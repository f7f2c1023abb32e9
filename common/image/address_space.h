// The target's memory put together from its sources: what the core saved, and what the files behind
// its mappings supply for the rest. The analysis reads it through spans; the replayer maps it.
#pragma once

#include "common/base/error.h"
#include "common/target/target.h"

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::image {

/// Where the bytes of a region come from.
enum class Source : std::uint8_t { saved, file, zero, missing };

struct Region {
  Address start = 0;
  Address end = 0;
  Source source = Source::missing;
  int fd = -1;               // for saved and file; owned by the AddressSpace
  std::uint64_t offset = 0;  // in fd
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

  /// Adds a region (must not overlap others; call sort() after the last). Maps fd for reading.
  Result<void> add(Region region);
  /// Takes over a descriptor that regions refer to.
  void own(int fd);
  /// Takes note of regions; from here on reads are allowed.
  void sort();

  const std::vector<Region>& regions() const { return regions_; }
  /// The region that holds the address, or nullptr.
  const Region* find(Address address) const;

  /// A view of [address, address+size) when it lies in one region with bytes.
  /// Errors: memory_unmapped, memory_not_saved, each with the first address that lacks.
  Result<std::span<const std::byte>> view(Address address, std::size_t size) const;
  /// Copies across neighbouring regions; all or nothing. Errors as view().
  Result<void> read(Address address, std::span<std::byte> to) const;

  template <class T>
    requires std::is_trivially_copyable_v<T>
  Result<T> load(Address address) const {
    T value;
    if (auto r = read(address, std::as_writable_bytes(std::span(&value, 1))); !r) {
      return std::unexpected(r.error());
    }
    return value;
  }
  /// A NUL-terminated string of at most `limit` bytes (cut there, not an error).
  Result<std::string> load_string(Address address, std::size_t limit = 256) const;

private:
  std::vector<Region> regions_;
  std::vector<int> owned_;
  mutable std::size_t last_ = 0;
};

} // namespace pygc::image
