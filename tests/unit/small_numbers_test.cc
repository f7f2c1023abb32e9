// An array of small numbers among which are large ones.
#include "common/base/index.h"
#include "common/base/small_numbers.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

namespace pygc {
namespace {

using Place = Index<struct SmallNumbersTag>;

template <class T> SmallNumbers<Place, T> array_of(const std::vector<T>& values) {
  SmallNumbers<Place, T> array;
  for (const T value : values) {
    array.push_back(value);
  }
  return array;
}

template <class T> std::vector<T> copy(const SmallNumbers<Place, T>& array) {
  std::vector<T> values;
  for (std::size_t i = 0; i < array.size(); ++i) {
    values.push_back(array[Place(i)]);
  }
  return values;
}

TEST(SmallNumbers, KeepsNumbersOfEverySize) {
  const std::vector<std::uint64_t> values{0, 65534, 65535, 65536, UINT64_MAX, 1};
  EXPECT_EQ(copy(array_of(values)), values);
}

TEST(SmallNumbers, KeepsNegativeOnes) {
  const std::vector<std::int64_t> values{0, -1, 7, INT64_MIN, INT64_MAX};
  EXPECT_EQ(copy(array_of(values)), values);
}

TEST(SmallNumbers, AreSetToNumbersOfEverySize) {
  auto array = array_of<std::uint64_t>({1, 70000, 2, 80000, 3});
  array.set(Place(0), 90000);
  array.set(Place(1), 4);
  array.set(Place(3), 80001);
  array.set(Place(4), 100000);
  EXPECT_EQ(copy(array), (std::vector<std::uint64_t>{90000, 4, 2, 80001, 100000}));
}

TEST(SmallNumbers, AreForgottenFromTheEnd) {
  auto array = array_of<std::uint64_t>({70000, 1, 80000});
  array.truncate(2);
  array.push_back(5);
  array.push_back(90000);
  EXPECT_EQ(copy(array), (std::vector<std::uint64_t>{70000, 1, 5, 90000}));
}

} // namespace
} // namespace pygc
