// Where dicts, lists and tuples have an object. Dicts are read by each_item(), which real
// interpreters test.
#include "common/cpython/objects/item_place.h"
#include "tests/unit/support/heap_builder.h"

#include <gtest/gtest.h>

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

} // namespace
} // namespace pygc::cpython
