// Where a dict, a list, a tuple, a set or a deque has an object.
#pragma once

#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace pygc::cpython {

struct ItemPlace {
  enum class Kind : std::uint8_t { index, value, key, element };
  Kind kind = Kind::index;
  std::size_t index = 0; // of a list, tuple or deque
  Address key = 0;       // of a dict's value: the object that is its key
};

/// The first place, but of a dict that of a value before that of a key. Nothing when the container
/// is of another type, or has the object nowhere as far as it can be read. Of a list, tuple,
/// deque or set the first `limit` items are looked at. Subclasses count. Mirrors
/// PyListObject.ob_item and PyTupleObject.ob_item (Include/cpython).
std::optional<ItemPlace> find_item(ObjectReader& reader, Address container, Address object,
                                   std::size_t limit);

/// The same of what lies in this slot of the container: of several places of one object it is that
/// one. A slot of a dict may be that of a key or of a value.
std::optional<ItemPlace> item_at(ObjectReader& reader, Address container, SlotAddress slot);

/// The items of a tuple: the address of the first pointer, and their number.
struct TupleItems {
  Address first = 0;
  std::uint64_t count = 0;
};

/// Nothing for what is no tuple, or cannot be read.
std::optional<TupleItems> tuple_items(ObjectReader& reader, Address tuple);

} // namespace pygc::cpython
