#include "replayer/emulated/slot_table.h"

#include "common/machine/machine.h"

#include <utility>

namespace pygc::replayer {
namespace {

// Of stack references, 3.14 and later.
constexpr std::uint64_t tag_mask = 3;
// Smaller values are no pointers: however large the first page is, nothing lies in it.
constexpr std::uint64_t lowest_pointer = ::pygc::machine::least_page_size;

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

SlotTable::Entry* SlotTable::find(std::uint64_t pointer) {
  Entry& entry = place(pointer);
  return entry.epoch == epoch_ ? &entry : nullptr;
}

void SlotTable::put_first(Entry& entry, std::uint64_t address, bool tagged) {
  std::size_t at = 0;
  while (at < entry.count && entry.slots[at] != address) {
    ++at;
  }
  bool taken = false;
  if (at < entry.count) {
    taken = (entry.taken >> at & 1U) != 0; // loaded anew
  } else if (entry.count < slots_per_pointer) {
    ++entry.count;
  } else {
    at = slots_per_pointer - 1;
    entry.forgot = entry.forgot || (entry.taken >> at & 1U) == 0;
  }
  const auto move_up = [at](std::uint8_t bits, bool first) {
    const unsigned behind = bits & ~((2U << at) - 1U);
    const unsigned before = bits & ((1U << at) - 1U);
    return static_cast<std::uint8_t>(behind | before << 1U | (first ? 1U : 0U));
  };
  for (; at > 0; --at) {
    entry.slots[at] = entry.slots[at - 1];
  }
  entry.slots[0] = address;
  entry.taken = move_up(entry.taken, taken);
  entry.tagged = move_up(entry.tagged, tagged);
}

void SlotTable::loaded(std::uint64_t word, std::uint64_t address) {
  const std::uint64_t pointer = word & ~tag_mask;
  if (pointer < lowest_pointer) {
    return;
  }
  Entry& entry = place(pointer);
  const bool tagged = word != pointer;
  if (entry.epoch == epoch_) {
    if (entry.slots[0] != address) {
      put_first(entry, address, tagged);
    }
    return;
  }
  entry = {.pointer = pointer,
           .epoch = epoch_,
           .slots = {address},
           .count = 1,
           .taken = 0,
           .tagged = static_cast<std::uint8_t>(tagged ? 1U : 0U),
           .forgot = false};
  if (++used_ > entries_.size() / 2) {
    grow();
  }
}

SlotTable::Slot SlotTable::take(std::uint64_t pointer) {
  Entry* entry = find(pointer & ~tag_mask); // what is no object may have such bits
  if (entry == nullptr) {
    return {};
  }
  for (std::size_t i = 0; i < entry->count; ++i) {
    if ((entry->taken >> i & 1U) == 0) {
      entry->taken |= static_cast<std::uint8_t>(1U << i);
      return {entry->slots[i], (entry->tagged >> i & 1U) != 0, false};
    }
  }
  return {entry->slots[0], (entry->tagged & 1U) != 0, !entry->forgot};
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
