// The elements of sets and the items of deques.
#pragma once

#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace pygc::cpython {

/// Where a set has its elements: PySetObject.table and mask (Include/cpython/setobject.h, 3.8 to
/// 3.15).
struct SetTable {
  Address first = 0;       // a setentry: the element and its hash
  std::uint64_t count = 0; // of entries
  std::uint64_t used = 0;  // elements

  bool has(SlotAddress slot) const;
  Address entry(std::size_t index) const;
};

/// Of a set or frozenset, subclasses included, whose counts and table agree. Nothing for others.
std::optional<SetTable> set_table(ObjectReader& reader, Address object);

/// Calls `each` with the slot of each item of a deque, subclasses included, first to last, until it
/// returns false. Nothing is called for what is no deque, or whose blocks do not agree with its
/// size. Mirrors dequeobject and its blocks of BLOCKLEN items (Modules/_collectionsmodule.c, 3.8 to
/// 3.15).
void each_deque_slot(ObjectReader& reader, Address object,
                     const std::function<bool(std::size_t index, Address slot)>& each);

/// Where the item of that index lies, from each_deque_slot(). 0: there is none.
Address deque_slot(ObjectReader& reader, Address deque, std::size_t index);

/// len() of a deque whose ends agree with it. Nothing for others.
std::optional<std::uint64_t> deque_size(ObjectReader& reader, Address object);

/// len() of a set, a frozenset or a deque. Nothing for others, and where what it says of itself
/// does not agree.
std::optional<std::uint64_t> collection_size(ObjectReader& reader, Address object);

} // namespace pygc::cpython
