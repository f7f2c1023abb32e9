#include "common/cpython/objects/item_place.h"

#include "common/cpython/objects/collection_items.h"
#include "common/cpython/objects/sequence_items.h"

#include <algorithm>

namespace pygc::cpython {
namespace {

constexpr int base_limit = 1000; // a damaged type may be its own base

std::optional<ItemPlace> find_in_dict(const ObjectReader& reader, Address dict, Address object) {
  std::optional<ItemPlace> place;
  // What could be read until an error is as good.
  [[maybe_unused]] const auto read = reader.each_item(dict, [&](Address key, Address value) {
    if (value == object) {
      place = {.kind = ItemPlace::Kind::value, .key = key};
      return false;
    }
    if (key == object) {
      place = {.kind = ItemPlace::Kind::key};
    }
    return true;
  });
  return place;
}

std::optional<ItemPlace> entry_at(const ObjectReader& reader, Address dict, SlotAddress slot) {
  std::optional<ItemPlace> place;
  [[maybe_unused]] const auto read = reader.each_entry(dict, [&](const DictEntry& entry) {
    if (entry.value_at == slot) {
      place = {.kind = ItemPlace::Kind::value, .key = entry.key};
    } else if (entry.key_at == slot) {
      place = {.kind = ItemPlace::Kind::key};
    }
    return !place;
  });
  return place;
}

std::optional<ItemPlace> element_at(ObjectReader& reader, Address container, SlotAddress slot) {
  const auto table = set_table(reader, container);
  if (table && table->has(slot)) {
    return ItemPlace{.kind = ItemPlace::Kind::element};
  }
  std::optional<ItemPlace> place;
  each_deque_slot(reader, container, [&](std::size_t index, Address at) {
    if (at == slot.at) {
      place = {.kind = ItemPlace::Kind::index, .index = index};
    }
    return !place;
  });
  return place;
}

std::optional<ItemPlace> find_element(ObjectReader& reader, Address container, Address object,
                                      std::size_t limit) {
  const SetTable table = set_table(reader, container).value_or(SetTable{});
  const std::size_t count = std::min<std::size_t>(table.count, limit);
  for (std::size_t i = 0; i < count; ++i) {
    if (reader.memory().load<Address>(table.entry(i)) == object) {
      return ItemPlace{.kind = ItemPlace::Kind::element};
    }
  }
  std::optional<ItemPlace> place;
  each_deque_slot(reader, container, [&](std::size_t index, Address at) {
    if (reader.memory().load<Address>(at) == object) {
      place = {.kind = ItemPlace::Kind::index, .index = index};
    }
    return !place && index + 1 < limit;
  });
  return place;
}

/// Items end a tuple: in PyTuple_Type's own instances they begin where tp_basicsize ends, behind
/// ob_size up to 3.13 and behind ob_hash from then on. 0: the type has no such base.
Address first_item(ObjectReader& reader, Address tuple, Address type) {
  for (int i = 0; i < base_limit && type != 0; ++i) {
    const TypeInfo& info = reader.type(type);
    if (info.name == "tuple") {
      return info.basicsize > 0 ? tuple + static_cast<Address>(info.basicsize) : 0;
    }
    type = info.base;
  }
  return 0;
}

} // namespace

std::optional<TupleItems> tuple_items(ObjectReader& reader, Address tuple) {
  const auto type = reader.type_address(tuple);
  const Address first = type ? first_item(reader, tuple, *type) : 0;
  const auto size = reader.memory().load<std::int64_t>(tuple + reader.runtime().layout.ob_size);
  if (first == 0 || !size || *size < 0) {
    return std::nullopt;
  }
  return TupleItems{.first = first, .count = static_cast<std::uint64_t>(*size)};
}

std::optional<TupleItems> sequence_items(ObjectReader& reader, Address container) {
  const auto type_at = reader.type_address(container);
  if (!type_at) {
    return std::nullopt;
  }
  const TypeInfo& type = reader.type(*type_at);
  const Address size_at = container + reader.runtime().layout.ob_size;
  Address first = 0;
  if (type.has_flag(type_flag::list_subclass)) {
    first = reader.memory().load<Address>(size_at + sizeof(std::int64_t)).value_or(0);
  } else if (type.has_flag(type_flag::tuple_subclass)) {
    first = first_item(reader, container, *type_at);
  }
  const auto size = reader.memory().load<std::int64_t>(size_at);
  if (first == 0 || !size || *size <= 0) {
    return std::nullopt;
  }
  return TupleItems{.first = first, .count = static_cast<std::uint64_t>(*size)};
}

std::optional<ItemPlace> item_at(ObjectReader& reader, Address container, SlotAddress slot) {
  const auto type_at = reader.type_address(container);
  if (!type_at) {
    return std::nullopt;
  }
  if (reader.type(*type_at).has_flag(type_flag::dict_subclass)) {
    return entry_at(reader, container, slot);
  }
  const auto items = sequence_items(reader, container);
  if (!items) {
    return element_at(reader, container, slot);
  }
  if (slot.at < items->first || (slot.at - items->first) % sizeof(Address) != 0 ||
      (slot.at - items->first) / sizeof(Address) >= items->count) {
    return std::nullopt;
  }
  return ItemPlace{.kind = ItemPlace::Kind::index,
                   .index = (slot.at - items->first) / sizeof(Address)};
}

std::optional<ItemPlace> find_item(ObjectReader& reader, Address container, Address object,
                                   std::size_t limit) {
  const auto type_at = reader.type_address(container);
  if (!type_at) {
    return std::nullopt;
  }
  if (reader.type(*type_at).has_flag(type_flag::dict_subclass)) {
    return find_in_dict(reader, container, object);
  }
  const auto items = sequence_items(reader, container);
  if (!items) {
    return find_element(reader, container, object, limit);
  }
  const std::size_t count = std::min<std::size_t>(items->count, limit);
  for (std::size_t i = 0; i < count; ++i) {
    const auto item = reader.memory().load<Address>(items->first + i * sizeof(Address));
    if (!item) {
      break;
    }
    if (*item == object) {
      return ItemPlace{.kind = ItemPlace::Kind::index, .index = i};
    }
  }
  return std::nullopt;
}

} // namespace pygc::cpython
