// Where dicts, lists, tuples, sets and deques have an object. Dicts are read by each_item(), which
// real interpreters test.
#include "common/cpython/objects/item_place.h"

#include "common/cpython/objects/collection_items.h"
#include "tests/unit/support/heap_builder.h"

#include <gtest/gtest.h>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr std::uint64_t flag(unsigned bit) {
  return std::uint64_t{1} << bit;
}

class ItemPlaces : public ::testing::Test {
protected:
  Address add_type(const std::string& name, unsigned subclass_flag, std::uint64_t basicsize,
                   Address base = 0) {
    const Address type = heap_.add_type(name, 0, flag(subclass_flag));
    heap_.store(type + heap_.runtime().layout.tp_basicsize, basicsize);
    heap_.store(type + heap_.runtime().layout.tp_base, base);
    return type;
  }
  /// With its items `from` bytes behind its begin.
  Address add_tuple(Address type, std::uint64_t from) {
    const Address tuple = heap_.object(heap_.add_object(1, type));
    heap_.store(tuple + heap_.runtime().layout.ob_size, 2);
    heap_.store(tuple + from, first);
    heap_.store(tuple + from + 8, second);
    return tuple;
  }
  std::optional<std::size_t> index(Address container, Address object, std::size_t limit = 100) {
    const auto place = find_item(heap_.reader(), container, object, limit);
    return place && place->kind == ItemPlace::Kind::index ? std::optional(place->index)
                                                          : std::nullopt;
  }

  static constexpr Address first = 0x7000;
  static constexpr Address second = 0x7010;
  tests::HeapBuilder heap_;
};

TEST_F(ItemPlaces, OfATupleWhoseItemsFollowItsSize) {
  const Address tuple = add_tuple(add_type("tuple", type_flag::tuple_subclass, 24), 24);
  heap_.finish();
  EXPECT_EQ(index(tuple, first), 0U);
  EXPECT_EQ(index(tuple, second), 1U);
  EXPECT_EQ(index(tuple, second, 1), std::nullopt);
  EXPECT_EQ(index(tuple, 0x7020), std::nullopt);
}

TEST_F(ItemPlaces, OfATupleWhoseItemsFollowItsHash) {
  const Address tuple = add_tuple(add_type("tuple", type_flag::tuple_subclass, 32), 32);
  heap_.finish();
  EXPECT_EQ(index(tuple, first), 0U);
  EXPECT_EQ(index(tuple, second), 1U);
}

TEST_F(ItemPlaces, OfASubclassAreThoseOfTheTuple) {
  const Address base = add_type("tuple", type_flag::tuple_subclass, 24);
  const Address pair = add_type("Pair", type_flag::tuple_subclass, 40, base);
  const Address tuple = add_tuple(pair, 24);
  heap_.finish();
  EXPECT_EQ(index(tuple, second), 1U);
}

TEST_F(ItemPlaces, OfATypeThatIsItsOwnBaseAreNone) {
  const Address type = add_type("Odd", type_flag::tuple_subclass, 24);
  heap_.store(type + heap_.runtime().layout.tp_base, type);
  const Address tuple = add_tuple(type, 24);
  heap_.finish();
  EXPECT_EQ(index(tuple, first), std::nullopt);
}

TEST_F(ItemPlaces, OfAListAreElsewhere) {
  const Address items = heap_.reserve(16);
  heap_.store(items, first);
  heap_.store(items + 8, second);
  const Address type = add_type("list", type_flag::list_subclass, 40);
  const Address list = heap_.object(heap_.add_object(1, type));
  heap_.store(list + heap_.runtime().layout.ob_size, 2);
  heap_.store(list + heap_.runtime().layout.ob_size + 8, items);
  heap_.finish();
  EXPECT_EQ(index(list, second), 1U);
}

TEST_F(ItemPlaces, OfASlotAreItsOwn) {
  const Address tuple = add_tuple(add_type("tuple", type_flag::tuple_subclass, 24), 24);
  heap_.store(tuple + 32, first); // the same object once more
  heap_.finish();
  for (const std::size_t i : {0U, 1U}) {
    const auto place = item_at(heap_.reader(), tuple, {tuple + 24 + 8 * i});
    ASSERT_TRUE(place);
    EXPECT_EQ(place->kind, ItemPlace::Kind::index);
    EXPECT_EQ(place->index, i);
  }
  for (const Address elsewhere : {tuple + 16, tuple + 28, tuple + 40}) {
    EXPECT_FALSE(item_at(heap_.reader(), tuple, {elsewhere}));
  }
}

TEST_F(ItemPlaces, OfAnObjectWithANegativeSizeAreNone) {
  const Address type = add_type("tuple", type_flag::tuple_subclass, 24);
  const Address tuple = add_tuple(type, 24);
  heap_.store(tuple + heap_.runtime().layout.ob_size, ~std::uint64_t{0});
  heap_.finish();
  EXPECT_EQ(index(tuple, first), std::nullopt);
}

TEST_F(ItemPlaces, OfAnotherTypeAreNone) {
  const Address tuple = add_tuple(heap_.plain_type, 24);
  heap_.finish();
  EXPECT_EQ(index(tuple, first), std::nullopt);
}

/// A set with two entries of eight, or a deque of `count` items that begin at place `left` of its
/// first block.
class CollectionPlaces : public ItemPlaces {
protected:
  Address add_set(Address type, std::uint64_t mask) {
    const Address set = heap_.object(heap_.add_object(1, type));
    const Address table = heap_.reserve(8 * 16);
    const Address fields = set + heap_.runtime().layout.ob_size;
    heap_.store(fields, 2);
    heap_.store(fields + 8, 2);
    heap_.store(fields + 16, mask);
    heap_.store(fields + 24, table);
    heap_.store(table + 3 * 16, first);
    heap_.store(table + 7 * 16, second);
    return set;
  }
  Address add_deque(Address type, std::uint64_t left, std::uint64_t count) {
    const Address deque = heap_.object(heap_.add_object(1, type));
    std::vector<Address> blocks((left + count - 1) / 64 + 1);
    for (Address& block : blocks) {
      block = heap_.reserve(66 * 8);
    }
    for (std::size_t i = 0; i + 1 < blocks.size(); ++i) {
      heap_.store(blocks[i] + 65 * 8, blocks[i + 1]);
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      heap_.store(blocks[(left + i) / 64] + (1 + (left + i) % 64) * 8, first + i * 16);
    }
    const Address fields = deque + heap_.runtime().layout.ob_size;
    heap_.store(fields, count);
    heap_.store(fields + 8, blocks.front());
    heap_.store(fields + 16, blocks.back());
    heap_.store(fields + 24, left);
    heap_.store(fields + 32, (left + count - 1) % 64);
    return deque;
  }
  bool is_element(Address set, Address object) {
    const auto place = find_item(heap_.reader(), set, object, 100);
    return place && place->kind == ItemPlace::Kind::element;
  }
};

TEST_F(CollectionPlaces, OfASetAreElements) {
  const Address type = add_type("set", type_flag::have_gc, 200);
  const Address derived = add_type("Names", type_flag::have_gc, 216, type);
  const Address set = add_set(type, 7);
  const Address named = add_set(derived, 7);
  const Address torn = add_set(type, 6);
  heap_.finish();
  EXPECT_TRUE(is_element(set, second));
  EXPECT_TRUE(is_element(named, first));
  EXPECT_FALSE(is_element(set, 0x7020));
  EXPECT_FALSE(is_element(torn, second)) << "no table has seven entries";
  const Address table = set_table(heap_.reader(), set)->first;
  EXPECT_EQ(item_at(heap_.reader(), set, {table + 48})->kind, ItemPlace::Kind::element);
  EXPECT_FALSE(item_at(heap_.reader(), set, {table + 56})) << "the hash";
  EXPECT_FALSE(item_at(heap_.reader(), set, {table + 128}));
}

TEST_F(CollectionPlaces, OfADequeGoOnFromBlockToBlock) {
  const Address type = add_type("collections.deque", type_flag::have_gc, 80);
  const Address deque = add_deque(type, 60, 200);
  heap_.finish();
  EXPECT_EQ(index(deque, first, 1000), 0U);
  EXPECT_EQ(index(deque, first + 4 * 16, 1000), 4U) << "the first of the second block";
  EXPECT_EQ(index(deque, first + 199 * 16, 1000), 199U);
  EXPECT_EQ(index(deque, first + 199 * 16, 199), std::nullopt);
  std::vector<Address> slots;
  each_deque_slot(heap_.reader(), deque, [&](std::size_t, Address slot) {
    slots.push_back(slot);
    return true;
  });
  ASSERT_EQ(slots.size(), 200U);
  EXPECT_EQ(item_at(heap_.reader(), deque, {slots[68]})->index, 68U);
}

TEST_F(CollectionPlaces, OfADequeWhoseEndsDoNotAgreeAreNone) {
  const Address type = add_type("collections.deque", type_flag::have_gc, 80);
  const Address longer = add_deque(type, 60, 200);
  const Address wrong_end = add_deque(type, 0, 10);
  const Address fields = heap_.runtime().layout.ob_size;
  heap_.store(longer + fields, 264); // a block more than there is
  heap_.store(wrong_end + fields + 32, 10);
  heap_.finish();
  EXPECT_EQ(index(longer, first), std::nullopt);
  EXPECT_EQ(index(wrong_end, first), std::nullopt);
}

} // namespace
} // namespace pygc::cpython
