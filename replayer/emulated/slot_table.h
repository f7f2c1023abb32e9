// Remembers for each pointer from where it was loaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pygc::replayer {

class SlotTable {
public:
  struct Slot {
    std::uint64_t address = 0; // 0: not loaded
    bool tagged = false;       // the word had tag bits set
    bool repeated = false;     // each slot that the pointer was loaded from had been taken before
  };

  SlotTable() : entries_(initial_size) {}

  /// Forgets all, at no cost.
  void restart() {
    ++epoch_;
    used_ = 0;
  }
  void loaded(std::uint64_t word, std::uint64_t address);
  /// The slot that was loaded last among those that are not taken, and takes it. Compilers load two
  /// fields with one value before they pass either on: so each visit finds a slot of its own.
  Slot take(std::uint64_t pointer);
  /// Calls each(address) for the slots of the pointer that nobody has taken, and takes them.
  template <class Each> void take_rest(std::uint64_t pointer, Each each) {
    if (Entry* entry = find(pointer)) {
      for (std::size_t i = 0; i < entry->count; ++i) {
        if ((entry->taken >> i & 1U) == 0) {
          each(entry->slots[i]);
        }
      }
      entry->taken = all_taken;
    }
  }

private:
  // More than that for one pointer: the older ones are forgotten.
  static constexpr std::size_t slots_per_pointer = 4;
  static constexpr std::uint8_t all_taken = 0xff;

  struct Entry {
    std::uint64_t pointer = 0;
    std::uint64_t epoch = 0; // of another: the entry is free
    // The slot loaded last first; `taken` and `tagged` have a bit for each.
    std::array<std::uint64_t, slots_per_pointer> slots{};
    std::uint8_t count = 0;
    std::uint8_t taken = 0;
    std::uint8_t tagged = 0;
    bool forgot = false; // a slot that nobody had taken
  };
  static constexpr std::size_t initial_size = 4096; // a power of two

  Entry& place(std::uint64_t pointer);
  Entry* find(std::uint64_t pointer);
  static void put_first(Entry& entry, std::uint64_t address, bool tagged);
  void grow();

  std::vector<Entry> entries_;
  std::uint64_t epoch_ = 1;
  std::size_t used_ = 0;
};

} // namespace pygc::replayer
