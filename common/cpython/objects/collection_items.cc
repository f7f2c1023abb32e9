#include "common/cpython/objects/collection_items.h"

#include <array>
#include <bit>
#include <string_view>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr int longest_base_chain = 1000; // a damaged type may be its own base
constexpr std::uint64_t entry_size = 16; // of a setentry
constexpr std::uint64_t most_entries = std::uint64_t{1} << 40;
constexpr std::uint64_t block_items = 64; // BLOCKLEN
constexpr std::uint64_t most_items = std::uint64_t{1} << 40;
constexpr std::uint64_t most_walked = std::uint64_t{1} << 20; // in search of one

// Fields behind the object's head, in words.
enum SetField : std::uint8_t { fill, used, mask, table, set_fields };
// Behind ob_size.
enum DequeField : std::uint8_t { left_block, right_block, left_index, right_index, deque_fields };

/// Whether the object is of a type of that name, which is written in C, or of one derived from it.
bool is_of(ObjectReader& reader, Address object, std::string_view one, std::string_view other) {
  Address type = reader.type_address(object).value_or(0);
  for (int i = 0; i < longest_base_chain && type != 0; ++i) {
    const TypeInfo& info = reader.type(type);
    if (info.name == one || info.name == other) {
      return true;
    }
    type = info.base;
  }
  return false;
}

template <std::size_t count>
std::optional<std::array<std::uint64_t, count>> words_at(const ObjectReader& reader, Address at) {
  std::array<std::uint64_t, count> words{};
  if (!reader.memory().read(at, std::as_writable_bytes(std::span(words)))) {
    return std::nullopt;
  }
  return words;
}

} // namespace

bool SetTable::has(SlotAddress slot) const {
  return slot.at >= first && (slot.at - first) % entry_size == 0 &&
         (slot.at - first) / entry_size < count;
}

Address SetTable::entry(std::size_t index) const {
  return first + index * entry_size;
}

std::optional<SetTable> set_table(ObjectReader& reader, Address object) {
  if (!is_of(reader, object, "set", "frozenset")) {
    return std::nullopt;
  }
  // A set has no ob_size: its fields begin there.
  const auto fields = words_at<set_fields>(reader, object + reader.runtime().layout.ob_size);
  if (!fields) {
    return std::nullopt;
  }
  const std::uint64_t count = (*fields)[mask] + 1;
  if (!std::has_single_bit(count) || count > most_entries || (*fields)[used] > (*fields)[fill] ||
      (*fields)[fill] > count) {
    return std::nullopt;
  }
  return SetTable{.first = (*fields)[table], .count = count, .used = (*fields)[used]};
}

namespace {

struct Deque {
  std::uint64_t size = 0;
  Address left_block = 0;
  Address right_block = 0;
  std::uint64_t left_index = 0;
  std::uint64_t behind() const { return left_index + size; } // the last item's place, and one
};

/// Of one whose indices agree with its size.
std::optional<Deque> deque_at(ObjectReader& reader, Address object) {
  if (!is_of(reader, object, "collections.deque", "collections.deque")) {
    return std::nullopt;
  }
  const auto fields = words_at<1 + deque_fields>(reader, object + reader.runtime().layout.ob_size);
  if (!fields) {
    return std::nullopt;
  }
  const auto field = [&](DequeField which) { return (*fields)[1 + which]; };
  const Deque deque{.size = fields->front(),
                    .left_block = field(left_block),
                    .right_block = field(right_block),
                    .left_index = field(left_index)};
  if (deque.size > most_items || deque.left_index >= block_items ||
      (deque.size != 0 && field(right_index) != (deque.behind() - 1) % block_items)) {
    return std::nullopt;
  }
  return deque;
}

} // namespace

void each_deque_slot(ObjectReader& reader, Address object,
                     const std::function<bool(std::size_t index, Address slot)>& each) {
  const auto deque = deque_at(reader, object);
  if (!deque || deque->size == 0 || deque->size > most_walked) {
    return;
  }
  std::vector<Address> blocks = {deque->left_block};
  for (std::uint64_t i = 0; i < (deque->behind() - 1) / block_items; ++i) {
    // leftlink, the items, rightlink
    const auto next =
        reader.memory().load<Address>(blocks.back() + (1 + block_items) * sizeof(Address));
    if (!next) {
      return;
    }
    blocks.push_back(*next);
  }
  if (blocks.back() != deque->right_block) {
    return;
  }
  for (std::uint64_t i = 0; i < deque->size; ++i) {
    const std::uint64_t place = deque->left_index + i;
    const Address slot = blocks[place / block_items] + (1 + place % block_items) * sizeof(Address);
    if (!each(i, slot)) {
      return;
    }
  }
}

Address deque_slot(ObjectReader& reader, Address deque, std::size_t index) {
  Address slot = 0;
  each_deque_slot(reader, deque, [&](std::size_t each, Address at) {
    slot = each == index ? at : 0;
    return slot == 0;
  });
  return slot;
}

std::optional<std::uint64_t> deque_size(ObjectReader& reader, Address object) {
  const auto deque = deque_at(reader, object);
  return deque ? std::optional(deque->size) : std::nullopt;
}

std::optional<std::uint64_t> collection_size(ObjectReader& reader, Address object) {
  if (const auto table = set_table(reader, object)) {
    return table->used;
  }
  return deque_size(reader, object);
}

} // namespace pygc::cpython
