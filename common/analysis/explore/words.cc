#include "common/analysis/explore/words.h"

#include "common/analysis/explore/words_in_use.h"
#include "common/cpython/objects/unused_memory.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pygc::analysis {
namespace {

constexpr Address tag_bits = 7;
constexpr std::size_t piece = std::size_t{1} << 22;
// Of the filter: 128 KiB at least, which stay in the cache, and 16 bits a candidate.
constexpr unsigned least_filter_bits = 20; // as a power of two
constexpr std::size_t bits_each = 16;

std::uint64_t hash_of(Address address) {
  constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15;
  return address / 8 * golden;
}

/// Which candidate an address is: most words are told apart by one load of a filter, the others by
/// one of a table.
class CandidateTable {
public:
  static constexpr std::uint32_t none = UINT32_MAX;

  explicit CandidateTable(std::span<const Address> candidates)
      : candidates_(candidates),
        filter_shift_(64 - std::max(least_filter_bits, static_cast<unsigned>(std::bit_width(
                                                           candidates.size() * bits_each)))),
        slot_shift_(64 - static_cast<unsigned>(std::bit_width(candidates.size() * 2 + 1))),
        filter_((std::size_t{1} << (64 - filter_shift_)) / 64),
        slots_(std::size_t{1} << (64 - slot_shift_), none) {
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      const std::uint64_t hash = hash_of(candidates[i]);
      filter_[hash >> filter_shift_ >> 6U] |= std::uint64_t{1} << (hash >> filter_shift_) % 64;
      std::size_t slot = hash >> slot_shift_;
      while (slots_[slot] != none) {
        slot = next(slot);
      }
      slots_[slot] = i;
    }
  }

  std::uint32_t find(Address address) const {
    const std::uint64_t hash = hash_of(address);
    if ((filter_[hash >> filter_shift_ >> 6U] >> (hash >> filter_shift_) % 64 & 1) == 0) {
      return none;
    }
    std::size_t slot = hash >> slot_shift_;
    while (slots_[slot] != none && candidates_[slots_[slot]] != address) {
      slot = next(slot);
    }
    return slots_[slot];
  }

private:
  std::size_t next(std::size_t slot) const { return (slot + 1) % slots_.size(); }

  std::span<const Address> candidates_;
  unsigned filter_shift_;
  unsigned slot_shift_;
  std::vector<std::uint64_t> filter_;
  std::vector<std::uint32_t> slots_;
};

bool is_scanned(const image::Region& region) {
  return region.permissions.write ||
         (region.source == image::Source::saved && !region.permissions.execute);
}

class Scan {
public:
  Scan(std::span<const Address> candidates, std::size_t places_each)
      : table_(candidates), places_each_(places_each) {
    found_.counts.resize(candidates.size());
    if (!candidates.empty()) {
      first_ = candidates.front();
      extent_ = candidates.back() - candidates.front();
    }
  }

  void look(Address value, Address at) {
    const Address address = value & ~tag_bits;
    if (address - first_ > extent_) {
      return;
    }
    const std::uint32_t candidate = table_.find(address);
    if (candidate == CandidateTable::none) {
      return;
    }
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
  CandidateTable table_;
  std::size_t places_each_;
  Address first_ = 1; // no multiple of 8: without candidates nothing is one
  std::uint64_t extent_ = 0;
  Words found_;
};

Result<Words> find(const image::AddressSpace& memory, const std::vector<machine::Thread>& threads,
                   std::span<const image::Range> unused, std::span<const Address> candidates,
                   std::size_t places_each, const std::function<bool()>& cancelled) {
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
    if (region.source == image::Source::missing) {
      scan.miss(region.end - region.start);
      continue;
    }
    if (region.source == image::Source::zero || region.host == nullptr) {
      continue;
    }
    for (const image::Range& used : cpython::without({region.start, region.end}, unused)) {
      for (Address at = used.start; at < used.end; at += piece) {
        if (cancelled()) {
          return fail(ErrorKind::cancelled, 0, "interrupted");
        }
        scan.look_through(region.host + (at - region.start),
                          std::min<std::uint64_t>(piece, used.end - at), at);
      }
    }
  }
  return scan.take();
}

} // namespace

Result<Words> find_words(const image::AddressSpace& memory,
                         const std::vector<machine::Thread>& threads,
                         std::span<const Address> candidates, std::size_t places_each,
                         const std::function<bool()>& cancelled) {
  return find(memory, threads, {}, candidates, places_each, cancelled);
}

Result<Words> find_words_in_use(cpython::ObjectReader& reader,
                                const std::vector<machine::Thread>& threads,
                                std::span<const Address> candidates, std::size_t places_each,
                                const std::function<bool()>& cancelled) {
  return find(reader.memory(), threads, cpython::unused_memory(reader.memory(), reader.runtime()),
              candidates, places_each, cancelled);
}

} // namespace pygc::analysis
