#include "common/analysis/explore/words.h"

#include <algorithm>
#include <cstring>

namespace pygc::analysis {
namespace {

constexpr Address tag_bits = 7;
constexpr std::size_t piece = std::size_t{1} << 22;
// Tells most words apart from candidates by one load: 128 KiB, which stay in the cache.
constexpr std::size_t filter_bits = std::size_t{1} << 20;

std::size_t filter_index(Address address) {
  constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15;
  return static_cast<std::size_t>(address / 8 * golden >> 44);
}

bool is_scanned(const image::Region& region) {
  return region.permissions.write ||
         (region.source == image::Source::saved && !region.permissions.execute);
}

class Scan {
public:
  Scan(std::span<const Address> candidates, std::size_t places_each)
      : candidates_(candidates), places_each_(places_each), filter_(filter_bits / 64) {
    found_.counts.resize(candidates.size());
    for (const Address candidate : candidates) {
      const std::size_t bit = filter_index(candidate);
      filter_[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
  }

  void look(Address value, Address at) {
    const Address address = value & ~tag_bits;
    const std::size_t bit = filter_index(address);
    if ((filter_[bit / 64] >> bit % 64 & 1) == 0) {
      return;
    }
    const auto found = std::ranges::lower_bound(candidates_, address);
    if (found == candidates_.end() || *found != address) {
      return;
    }
    const auto candidate = static_cast<std::uint32_t>(found - candidates_.begin());
    if (found_.counts[candidate]++ < places_each_) {
      found_.places.push_back({.candidate = candidate, .at = at});
    }
  }

  void look_through(const std::byte* bytes, std::size_t size, Address start) {
    for (std::size_t at = 0; at + sizeof(Address) <= size; at += sizeof(Address)) {
      Address value = 0;
      std::memcpy(&value, bytes + at, sizeof value);
      look(value, start + at);
    }
    found_.scanned += size;
  }

  void miss(std::uint64_t size) { found_.missing += size; }
  Words take() { return std::move(found_); }

private:
  std::span<const Address> candidates_;
  std::size_t places_each_;
  std::vector<std::uint64_t> filter_;
  Words found_;
};

} // namespace

Result<Words> find_words(const image::AddressSpace& memory,
                         const std::vector<machine::Thread>& threads,
                         std::span<const Address> candidates, std::size_t places_each,
                         const std::function<bool()>& cancelled) {
  Scan scan(candidates, places_each);
  for (const machine::Thread& thread : threads) {
    for (const std::uint64_t value : thread.registers) {
      scan.look(value, 0);
    }
  }
  for (const image::Region& region : memory.regions()) {
    if (!is_scanned(region)) {
      continue;
    }
    const std::uint64_t size = region.end - region.start;
    if (region.source == image::Source::missing) {
      scan.miss(size);
      continue;
    }
    if (region.source == image::Source::zero || region.host == nullptr) {
      continue;
    }
    for (std::uint64_t at = 0; at < size; at += piece) {
      if (cancelled()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      scan.look_through(region.host + at, std::min<std::uint64_t>(piece, size - at),
                        region.start + at);
    }
  }
  return scan.take();
}

} // namespace pygc::analysis
