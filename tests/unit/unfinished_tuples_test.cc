// Tuples that were handed out before they were filled, on a heap made by hand.
#include "tests/unit/support/detectors_fixture.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class UnfinishedTuples : public ::testing::Test {
protected:
  UnfinishedTuples() {
    const cpython::Layout& layout = heap.runtime().layout;
    tuple_type = heap.add_type("tuple", heap.add_function("tupletraverse"),
                               std::uint64_t{1} << cpython::type_flag::tuple_subclass);
    heap.store(tuple_type + layout.tp_basicsize, layout.ob_size + sizeof(std::int64_t));
  }

  /// With `items`, behind ob_size.
  Address add_tuple(std::uint64_t refcount, const std::vector<Address>& items, Address type = 0) {
    const std::uint32_t index = heap.add_object(refcount, type == 0 ? tuple_type : type);
    const Address size_at = heap.object(index) + heap.runtime().layout.ob_size;
    heap.store(size_at, items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      heap.store(size_at + (i + 1) * sizeof(Address), items[i]);
    }
    return heap.object(index);
  }
  std::vector<UnfinishedTuple> find() {
    heap.finish();
    tests::TableReplayer replayer({}, {});
    return find_unfinished_tuples(heap.input(replayer));
  }

  tests::HeapBuilder heap;
  Address tuple_type = 0;
};

TEST_F(UnfinishedTuples, AreFoundByTheirFirstNull) {
  add_tuple(3, {0x1000, 0x2000, 0x3000});
  const Address half = add_tuple(2, {0x1000, 0, 0});
  const auto found = find();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].object, half);
  EXPECT_EQ(found[0].first_missing, 1U);
  EXPECT_EQ(found[0].size, 3U);
}

TEST_F(UnfinishedTuples, OneThatOnlyItsMakerHasIsBeingMade) {
  add_tuple(1, {0x1000, 0});
  add_tuple(0, {0x1000, 0});
  const auto found = find();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].handed_out);
}

TEST_F(UnfinishedTuples, OtherTypesMayHaveNulls) {
  add_tuple(2, {0, 0}, heap.plain_type);
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(UnfinishedTuples, OneWithoutItemsLacksNone) {
  add_tuple(5, {});
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(Detectors, UnfinishedTupleNamesTheItem) {
  facts_.unfinished = {{.interpreter = 7, .object = object(0), .size = 5, .first_missing = 3}};
  const Finding finding = one(detect_unfinished_tuple);
  EXPECT_EQ(finding.kind, FindingKind::unfinished_tuple);
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.interpreter, 7);
  EXPECT_EQ(finding.object->address, object(0));
  EXPECT_THAT(finding.message, HasSubstr("Item 3 of 5 is NULL, and there are 3 references"));
  facts_.unfinished.front().handed_out = false;
  EXPECT_THAT(one(detect_unfinished_tuple).message,
              HasSubstr("reference to the tuple is a container's"));
}

} // namespace
} // namespace pygc::analysis
