// Every word of memory, and every register, that could hold a pointer to one of many objects.
#pragma once

#include "common/base/error.h"
#include "common/image/address_space.h"
#include "common/machine/thread.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

struct Word {
  std::uint32_t candidate = 0; // index into the candidates
  Address at = 0;              // 0: a register
};

struct Words {
  std::vector<std::uint64_t> counts; // by candidate
  std::vector<Word> places;          // ascending by address; of each candidate the first few
  std::uint64_t scanned = 0;         // bytes
  std::uint64_t missing = 0;         // bytes of writable memory that are not there
  bool complete() const { return missing == 0; }
};

/// Looks at every aligned word of memory that can be written, or that was saved and is no code.
/// Tags in the three lowest bits of a word are left aside (stack references of 3.14 and later). The
/// candidates ascend, and are multiples of 8. At most `places_each` places a candidate.
/// `cancelled` is asked every few megabytes. Errors: cancelled.
Result<Words> find_words(const image::AddressSpace& memory,
                         const std::vector<machine::Thread>& threads,
                         std::span<const Address> candidates, std::size_t places_each,
                         const std::function<bool()>& cancelled);

} // namespace pygc::analysis
