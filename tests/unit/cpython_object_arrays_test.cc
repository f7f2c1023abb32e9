// Arrays of objects as numpy lays them out, made by hand.
#include "common/cpython/objects/object_arrays.h"
#include "tests/unit/support/heap_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace pygc::cpython {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Address fields = 16; // behind the PyObject

class ObjectArrays : public ::testing::Test {
protected:
  ObjectArrays() {
    array_ = heap_.reserve(fields + 64);
    descr_ = heap_.reserve(fields + 32);
    data_ = heap_.reserve(12 * 8);
    set_flags(4);
    set_type('O', 17);
    heap_.store(array_ + fields, data_);
    heap_.store(array_ + fields + 40, descr_);
  }

  void set_flags(std::uint32_t flags) { heap_.store(array_ + fields + 48, flags); }
  void set_type(char kind, std::uint64_t number) {
    const auto letter = static_cast<std::uint64_t>(kind);
    heap_.store(descr_ + fields + 8, letter | letter << 8U | number << 32U);
  }
  void set_shape(const std::vector<ObjectArray::Dimension>& dimensions) {
    const Address counts = heap_.reserve(8 * dimensions.size());
    const Address strides = heap_.reserve(8 * dimensions.size());
    heap_.store(array_ + fields + 8, dimensions.size());
    heap_.store(array_ + fields + 16, counts);
    heap_.store(array_ + fields + 24, strides);
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
      heap_.store(counts + 8 * i, dimensions[i].count);
      heap_.store(strides + 8 * i, dimensions[i].stride);
    }
  }
  std::optional<ObjectArray> read() {
    heap_.finish();
    return object_array(heap_.reader(), array_);
  }

  pygc::tests::HeapBuilder heap_;
  Address array_ = 0;
  Address descr_ = 0;
  Address data_ = 0;
};

TEST_F(ObjectArrays, AVectorHasOneSubscript) {
  set_shape({{12, 8}});
  const auto array = read();
  ASSERT_TRUE(array);
  EXPECT_THAT(array->subscripts(data_), ElementsAre(0));
  EXPECT_THAT(array->subscripts(data_ + 88), ElementsAre(11));
  EXPECT_THAT(array->subscripts(data_ + 96), IsEmpty());
  EXPECT_THAT(array->subscripts(data_ - 8), IsEmpty());
  EXPECT_THAT(array->subscripts(data_ + 4), IsEmpty());
}

TEST_F(ObjectArrays, OfSeveralDimensionsInTheOrderOfC) {
  set_shape({{3, 32}, {1, 0}, {4, 8}});
  const auto array = read();
  ASSERT_TRUE(array);
  EXPECT_THAT(array->subscripts(data_ + 8 * 9), ElementsAre(2, 0, 1));
}

TEST_F(ObjectArrays, OfSeveralDimensionsInTheOrderOfFortran) {
  set_shape({{3, 8}, {4, 24}});
  const auto array = read();
  ASSERT_TRUE(array);
  EXPECT_THAT(array->subscripts(data_ + 8 * 7), ElementsAre(1, 2));
}

TEST_F(ObjectArrays, OneWithGapsIsNone) {
  set_shape({{3, 32}, {3, 8}});
  EXPECT_FALSE(read());
}

TEST_F(ObjectArrays, AViewOwnsNothing) {
  set_shape({{12, 8}});
  set_flags(0);
  EXPECT_FALSE(read());
}

TEST_F(ObjectArrays, OneOfNumbersHoldsNothing) {
  set_shape({{12, 8}});
  set_type('d', 12);
  EXPECT_FALSE(read());
}

TEST_F(ObjectArrays, ANumberOfTypesThatIsNotTheirsIsNone) {
  set_shape({{12, 8}});
  set_type('O', 18);
  EXPECT_FALSE(read());
}

TEST_F(ObjectArrays, OneThatIsLargerThanItsMemoryIsNone) {
  set_shape({{std::uint64_t{1} << 40U, 8}});
  EXPECT_FALSE(read());
}

TEST_F(ObjectArrays, CountsBeyondAllMemoryAreNone) {
  set_shape({{std::uint64_t{1} << 40U, 8}, {std::uint64_t{1} << 40U, std::uint64_t{1} << 43U}});
  EXPECT_FALSE(read());
}

TEST_F(ObjectArrays, OneWithoutDimensionsIsNone) {
  set_shape({});
  EXPECT_FALSE(read());
}

} // namespace
} // namespace pygc::cpython
