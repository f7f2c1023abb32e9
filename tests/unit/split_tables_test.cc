// Dicts whose ma_values is no array of values, on a heap made by hand.
#include "tests/unit/support/detectors_fixture.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Address nowhere = 0x7000'0000'0000;

class SplitTables : public ::testing::Test {
protected:
  SplitTables() {
    cpython::Layout& layout = heap.runtime().layout;
    layout.ma_keys = 32;
    layout.ma_values = 40;
    layout.dk_kind = 10;
    dict_type = heap.add_type("dict", heap.add_function("dict_traverse"),
                              std::uint64_t{1} << cpython::type_flag::dict_subclass);
  }

  Address add_dict(Address values, std::uint8_t kind, Address type = 0) {
    const cpython::Layout& layout = heap.runtime().layout;
    const Address keys = heap.object(heap.add_object(1, heap.plain_type)); // any memory
    heap.store(keys + layout.dk_kind.value(), kind);
    const Address dict = heap.object(heap.add_object(1, type == 0 ? dict_type : type));
    heap.store(dict + layout.ma_keys, keys);
    heap.store(dict + layout.ma_values, values);
    return dict;
  }
  std::vector<BrokenSplitTable> find() {
    heap.finish();
    tests::TableReplayer replayer({}, {});
    return find_broken_split_tables(heap.input(replayer));
  }

  tests::HeapBuilder heap;
  Address dict_type = 0;
};

TEST_F(SplitTables, AreBrokenWhereThereIsNoMemoryOrNoAlignment) {
  const Address there = heap.object(heap.add_object(1, heap.plain_type));
  add_dict(0, 1);
  add_dict(there, 1);
  const Address unmapped = add_dict(nowhere, 1);
  const Address odd = add_dict(there + 1, 0);
  const auto found = find();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].object, unmapped);
  EXPECT_EQ(found[0].values, nowhere);
  EXPECT_TRUE(found[0].unreadable);
  EXPECT_TRUE(found[0].kind_known);
  EXPECT_EQ(found[1].object, odd);
  EXPECT_FALSE(found[1].unreadable);
}

TEST_F(SplitTables, OfSplitKeysAreTheTraversals) {
  add_dict(nowhere, 2);
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(SplitTables, OtherTypesHaveNone) {
  add_dict(nowhere, 0, heap.plain_type);
  EXPECT_THAT(find(), IsEmpty());
}

TEST_F(Detectors, BrokenSplitTableIsACorruptObject) {
  facts_.broken_tables = {{.interpreter = 7,
                           .object = object(0),
                           .values = 1,
                           .unreadable = false,
                           .kind_known = true}};
  const Finding finding = one(detect_object_corrupt);
  EXPECT_EQ(finding.kind, FindingKind::object_corrupt);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.interpreter, 7);
  EXPECT_EQ(finding.object->address, object(0));
  EXPECT_EQ(finding.address, 1U);
  EXPECT_THAT(finding.message,
              AllOf(HasSubstr("ma_values of this dict is 0x1"), HasSubstr("_PyDict_MaybeUntrack")));
}

TEST_F(Detectors, AFailedTraversalMayBeWhatTellsOfTheTable) {
  facts_.broken_tables = {{.object = object(0), .values = 1}};
  facts_.collections.front().incidents.groups.emplace_back();
  EXPECT_THAT(all(detect_object_corrupt), IsEmpty());
}

} // namespace
} // namespace pygc::analysis
