#include "replayer/emulated/slot_table.h"

#include <utility>

namespace pygc::replayer {
namespace {

// Of stack references, 3.14 and later.
constexpr std::uint64_t tag_mask = 3;
// Smaller values are no pointers.
constexpr std::uint64_t lowest_pointer = 4096;

std::size_t hash(std::uint64_t pointer) {
  return (pointer >> 4U) * 0x9e37'79b9'7f4a'7c15U >> 24U;
}

} // namespace

SlotTable::Entry& SlotTable::place(std::uint64_t pointer) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t i = hash(pointer) & mask;
  while (entries_[i].epoch == epoch_ && entries_[i].pointer != pointer) {
    i = (i + 1) & mask;
  }
  return entries_[i];
}

void SlotTable::loaded(std::uint64_t word, std::uint64_t address) {
  const std::uint64_t pointer = word & ~tag_mask;
  if (pointer < lowest_pointer) {
    return;
  }
  Entry& entry = place(pointer);
  const bool fresh = entry.epoch != epoch_;
  entry = {pointer, address, epoch_, word != pointer};
  if (fresh && ++used_ > entries_.size() / 2) {
    grow();
  }
}

SlotTable::Slot SlotTable::find(std::uint64_t pointer) const {
  const std::size_t mask = entries_.size() - 1;
  for (std::size_t i = hash(pointer) & mask; entries_[i].epoch == epoch_; i = (i + 1) & mask) {
    if (entries_[i].pointer == pointer) {
      return {entries_[i].address, entries_[i].tagged};
    }
  }
  return {};
}

void SlotTable::grow() {
  const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(entries_.size() * 2));
  for (const Entry& entry : old) {
    if (entry.epoch == epoch_) {
      place(entry.pointer) = entry;
    }
  }
}

} // namespace pygc::replayer
