#include "common/replay/image_regions.h"

#include "common/machine/machine.h"
#include "common/machine/page.h"
#include "common/replay/written_memory.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <sys/mman.h>

namespace pygc::replay {
namespace {

std::uint32_t protection_of(const target::Permissions& permissions) {
  int protection = PROT_NONE;
  if (permissions.read || permissions.write || permissions.execute) {
    protection |= PROT_READ;
  }
  if (permissions.write) {
    protection |= PROT_WRITE;
  }
  if (permissions.execute) {
    protection |= PROT_EXEC;
  }
  return static_cast<std::uint32_t>(protection);
}

// Heaps of up to this size are read at once, into huge pages, instead of page by page as they are
// touched: three times as fast, but it costs the memory also of what no traversal needs.
constexpr std::uint64_t copy_limit = std::uint64_t{512} << 20;
constexpr std::uint64_t copy_from = std::uint64_t{2} << 20;
bool worth_copying(const image::Region& region) {
  return region.source == image::Source::saved && region.permissions.write &&
         region.end - region.start >= copy_from;
}

// Smaller regions are not worth a system call each.
constexpr std::uint64_t fetch_from = std::uint64_t{64} << 10;
bool worth_fetching(const image::Region& region) {
  return region.source == image::Source::saved && region.permissions.write &&
         region.end - region.start >= fetch_from;
}

/// Is all that is worth copying little enough?
bool may_copy(const image::AddressSpace& memory) {
  std::uint64_t total = 0;
  for (const auto& region : memory.regions()) {
    if (worth_copying(region)) {
      total += std::min(region.end - region.start, copy_limit + 1);
    }
    if (total > copy_limit) {
      return false;
    }
  }
  return true;
}

class Packer {
public:
  Packer(bool copy_large, bool fetch, std::span<const image::Range> idle)
      : copy_large_(copy_large), fetch_(fetch), idle_(idle) {}

  void add(const image::Region& region, bool paged) {
    if (records_.size() == protocol::max_regions_per_packet ||
        files_.size() == protocol::max_files_per_packet) {
      flush();
    }
    protocol::RegionRecord record;
    record.start = region.start;
    record.end = region.end;
    record.protection = protection_of(region.permissions);
    if (region.source != image::Source::zero) {
      const bool aligned =
          region.start % machine::page_size() == region.offset % machine::page_size();
      const bool as_it_is = aligned && !(copy_large_ && worth_copying(region));
      record.source = paged                              ? protocol::Source::demand
                      : fetch_ && worth_fetching(region) ? protocol::Source::fetch
                      : as_it_is                         ? protocol::Source::file
                                                         : protocol::Source::copy;
      record.offset = region.offset;
      record.file = file_index(region.fd);
      if (!paged && !aligned) { // it has to be read to be there
        add_written(region, record);
        return;
      }
    }
    records_.push_back(record);
  }

  std::vector<RegionPacket> finish() {
    flush();
    return std::move(packets_);
  }

private:
  /// Zeros where nothing was ever written: they take no memory.
  void add_written(const image::Region& region, protocol::RegionRecord record) {
    const int fd = region.fd;
    const auto zeros = [&](Address start, Address end) {
      if (start < end) {
        add_piece({.start = start,
                   .end = end,
                   .protection = record.protection,
                   .source = protocol::Source::zero},
                  fd);
      }
    };
    Address at = region.start;
    for (const image::Range& range : written_memory(region)) {
      zeros(at, range.start);
      record.start = range.start;
      record.end = at = range.end;
      record.offset = region.offset + (range.start - region.start);
      record.file = file_index(fd);
      if (fetch_) {
        add_used(record);
      } else {
        add_piece(record, fd);
      }
    }
    zeros(at, region.end);
  }

  /// What of a region is not idle, in pieces.
  void add_used(protocol::RegionRecord record) {
    const auto first = std::ranges::partition_point(
        idle_, [&](const image::Range& range) { return range.end <= record.start; });
    const Address end = record.end;
    const std::uint64_t start_offset = record.offset - record.start;
    const int fd = files_[record.file];
    for (auto range = first; range != idle_.end() && range->start < end; ++range) {
      record.end = range->start;
      add_piece(record, fd);
      record.start = std::min(range->end, end);
      record.offset = record.start + start_offset;
    }
    record.end = end;
    add_piece(record, fd);
  }

  void add_piece(protocol::RegionRecord piece, int fd) {
    if (piece.start >= piece.end) {
      return;
    }
    if (records_.size() == protocol::max_regions_per_packet) {
      flush();
    }
    piece.file = file_index(fd);
    records_.push_back(piece);
  }

  std::uint32_t file_index(int fd) {
    const auto found = std::ranges::find(files_, fd);
    const auto index = static_cast<std::uint32_t>(found - files_.begin());
    if (found == files_.end()) {
      files_.push_back(fd);
    }
    return index;
  }

  void flush() {
    if (records_.empty()) {
      return;
    }
    protocol::Map map;
    map.count = static_cast<std::uint32_t>(records_.size());
    RegionPacket packet;
    const auto records = std::as_bytes(std::span(records_));
    packet.bytes.resize(sizeof(map) + records.size());
    std::memcpy(packet.bytes.data(), &map, sizeof(map));
    std::memcpy(packet.bytes.data() + sizeof(map), records.data(), records.size());
    packet.files = std::move(files_);
    packets_.push_back(std::move(packet));
    files_.clear();
    records_.clear();
  }

  bool copy_large_;
  bool fetch_;
  std::span<const image::Range> idle_;
  std::vector<protocol::RegionRecord> records_;
  std::vector<int> files_;
  std::vector<RegionPacket> packets_;
};

} // namespace

std::vector<RegionPacket> image_packets(const image::AddressSpace& memory, Writable writable,
                                        std::span<const image::Range> idle) {
  const bool fetch = writable == Writable::fetched;
  Packer packer(!fetch && may_copy(memory), fetch, idle);
  for (const auto& region : memory.regions()) {
    const bool has_bytes = region.source != image::Source::missing;
    const bool sane = region.start < region.end && region.end <= machine::user_space_end;
    if (has_bytes && sane && protection_of(region.permissions) != PROT_NONE) {
      packer.add(region, memory.is_paged(region));
    }
  }
  return packer.finish();
}

} // namespace pygc::replay
