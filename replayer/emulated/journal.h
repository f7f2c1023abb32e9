// What the target's code has overwritten, to be put back.
#pragma once

#include "replayer/emulated/guest_memory.h"

#include <array>
#include <cstdint>
#include <sys/mman.h>
#include <vector>

namespace pygc::replayer {

class Journal {
public:
  explicit Journal(const GuestMemory& memory) : memory_(memory) {}

  void before_store(std::uint64_t address, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
      // Byte by byte: a store may begin in one area and end behind it.
      if (const std::byte* at = memory_.view(address + i)) {
        entries_.push_back({address + i, *at});
      }
    }
  }

  void roll_back() {
    for (; !entries_.empty(); entries_.pop_back()) {
      const auto& entry = entries_.back();
      const GuestRegion* region = memory_.find(entry.address);
      if (region != nullptr && (region->protection & PROT_WRITE) != 0) {
        region->host[entry.address - region->start] = entry.before;
      }
    }
  }

private:
  struct Entry {
    std::uint64_t address = 0;
    std::byte before{};
  };

  const GuestMemory& memory_;
  std::vector<Entry> entries_;
};

} // namespace pygc::replayer
