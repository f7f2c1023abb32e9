// The target's memory somewhere in this process, copy on write, for the emulator to work on.
//
// Unicorn's cost of mapping grows with the square of the regions, so it is shown few large areas.
// Inside an area each region has the protection it had in the target, and what lies between regions
// cannot be accessed at all: the processor itself finds wrong accesses (see fault_guard.h).
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace pygc::replayer {

struct GuestRegion {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::byte* host = nullptr;
  int protection = 0; // the target's, PROT_EXEC included
  bool on_demand = false;
  /// Where the file, mapped elsewhere, has the region's bytes: copied in pieces as they are
  /// touched.
  const std::byte* source = nullptr;
  /// Where the bytes are in GuestMemory::kept_file(), when that has them.
  std::optional<std::uint64_t> kept_offset = {};
  std::uint64_t source_size = 0; // what is behind is zeros
  std::size_t first_piece = 0;   // of GuestMemory's
};

struct GuestArea {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::byte* host = nullptr;
};

class GuestMemory {
public:
  /// Regions that can be mapped, in ascending order. False: it cannot be had.
  bool add(const replay::protocol::RegionRecord& record, int fd);
  /// After the last region. Returns how many are lost because no area could be reserved for them.
  std::uint64_t arrange();

  const std::vector<GuestArea>& areas() const { return areas_; }

  /// A descriptor of ours: the file that cannot be mapped, such as the memory of the analysis, and
  /// is read as the target's memory is touched. -1: there is none.
  int kept_file() const { return kept_file_; }

  const GuestRegion* find(std::uint64_t address) const {
    const std::uint32_t recent = recent_[slot(address)];
    if (recent < regions_.size() && address >= regions_[recent].start &&
        address < regions_[recent].end) {
      return &regions_[recent];
    }
    return find_slow(address);
  }

  /// Copies the piece around an address where that has not been done yet. False: there is none to
  /// copy. Allocates nothing: for a signal handler.
  bool fill(std::uint64_t address);

  /// Our view of the word at the address, if the target may access it so (PROT_READ or PROT_WRITE).
  std::uint64_t* word(std::uint64_t address, int access) const;

  std::optional<std::uint64_t> load(std::uint64_t address) const;

  /// Our view whether or not it can be accessed; nullptr outside of all areas.
  std::byte* view(std::uint64_t address) const {
    for (const auto& area : areas_) {
      if (address >= area.start && address < area.end) {
        return area.host + (address - area.start);
      }
    }
    return nullptr;
  }

private:
  static constexpr std::size_t slot(std::uint64_t address) { return (address >> 16U) % 1024; }

  bool map_region(const replay::protocol::RegionRecord& record, int fd, GuestRegion& region);
  bool keep(const replay::protocol::RegionRecord& record, int fd, GuestRegion& region);
  bool copy_piece(const GuestRegion& region, std::uint64_t offset, std::byte* to) const;
  const GuestRegion* find_slow(std::uint64_t address) const;
  bool place(GuestRegion& region, const GuestArea& area) const;

  std::vector<GuestRegion> regions_;
  std::vector<GuestArea> areas_;
  std::vector<bool> filled_; // pieces of the regions that have a source
  mutable std::array<std::uint32_t, 1024> recent_{};
  int kept_file_ = -1;
};

} // namespace pygc::replayer
