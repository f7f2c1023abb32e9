// Remembers for each pointer from where it was last loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pygc::replayer {

class SlotTable {
public:
  struct Slot {
    std::uint64_t address = 0; // 0: not loaded
    bool tagged = false;       // the word had tag bits set
  };

  SlotTable() : entries_(initial_size) {}

  /// Forgets all, at no cost.
  void restart() {
    ++epoch_;
    used_ = 0;
  }
  void loaded(std::uint64_t word, std::uint64_t address);
  Slot find(std::uint64_t pointer) const;

private:
  struct Entry {
    std::uint64_t pointer = 0;
    std::uint64_t address = 0;
    std::uint64_t epoch = 0; // of another: the entry is free
    bool tagged = false;
  };
  static constexpr std::size_t initial_size = 4096; // a power of two

  Entry& place(std::uint64_t pointer);
  void grow();

  std::vector<Entry> entries_;
  std::uint64_t epoch_ = 1;
  std::size_t used_ = 0;
};

} // namespace pygc::replayer
