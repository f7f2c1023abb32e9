// Which instructions of a traversal changed memory for good, and which for a while: one that takes
// a reference and gives it back has changed nothing in the end.
#pragma once

#include "replayer/emulated/guest_memory.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace pygc::replayer {

class LastingWrites {
public:
  explicit LastingWrites(const GuestMemory& memory) : memory_(memory) {}

  void restart() { writes_.clear(); }

  /// Of one instruction the first few places are remembered.
  /// To be called before the store.
  void store(std::uint64_t pc, std::uint64_t address, unsigned size) {
    for (Write& write : writes_) {
      std::array<std::byte, max_size> now{};
      write.changed =
          write.changed || (write.address == address && copy(write, now) && now != write.first);
    }
    const auto same = std::ranges::count(writes_, pc, &Write::pc);
    const bool known = std::ranges::any_of(
        writes_, [&](const Write& write) { return write.pc == pc && write.address == address; });
    if (known || same >= places_per_instruction || writes_.size() >= max_writes) {
      return;
    }
    writes_.push_back(
        {.pc = pc, .address = address, .size = std::min(size, max_size), .first = {}, .after = {}});
    copy(writes_.back(), writes_.back().first);
  }

  /// At the traversal's end, before what it has written is put back.
  void freeze() {
    std::erase_if(writes_, [this](Write& write) { return !copy(write, write.after); });
  }

  /// When it has been put back. Calls each(pc, address) once for each instruction.
  template <class Each> void each_lasting(Each each) {
    std::vector<std::uint64_t> told;
    for (const Write& write : writes_) {
      if (is_lasting(write) && std::ranges::find(told, write.pc) == told.end()) {
        told.push_back(write.pc);
        each(write.pc, write.address);
      }
    }
  }

  /// The same of what the traversal itself has undone, with the size; once for each address.
  template <class Each> void each_undone(Each each) {
    std::vector<std::uint64_t> told;
    for (const Write& write : writes_) {
      if (write.changed && !is_lasting(write) &&
          std::ranges::find(told, write.address) == told.end()) {
        told.push_back(write.address);
        each(write.pc, write.address, write.size);
      }
    }
  }

private:
  static constexpr unsigned max_size = 32; // a vector register
  static constexpr std::ptrdiff_t places_per_instruction = 4;
  static constexpr std::size_t max_writes = 256;

  struct Write {
    std::uint64_t pc = 0;
    std::uint64_t address = 0;
    unsigned size = 0;
    std::array<std::byte, max_size> first{}; // before it
    std::array<std::byte, max_size> after{}; // at the traversal's end
    bool changed = false;                    // it was something else meanwhile
  };

  bool is_lasting(const Write& write) const {
    std::array<std::byte, max_size> before{};
    return copy(write, before) && before != write.after;
  }

  bool copy(const Write& write, std::array<std::byte, max_size>& to) const {
    for (unsigned i = 0; i < write.size; ++i) {
      const std::byte* at = memory_.view(write.address + i);
      if (at == nullptr) {
        return false;
      }
      to[i] = *at;
    }
    return true;
  }

  const GuestMemory& memory_;
  std::vector<Write> writes_;
};

} // namespace pygc::replayer
