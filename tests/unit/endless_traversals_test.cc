// What is told of traversals that have no stack left or no end.
#include "tests/unit/support/detectors_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(Detectors, TraverseFaultWithoutStackSaysSo) {
  add_incident(replay::Outcome::fault);
  collection().incidents.groups.front().first.address = replay::protocol::own_stack - 0x68;
  EXPECT_THAT(one(detect_traverse_fault).message,
              HasSubstr("by bad_traverse has no stack left in "));
}

/// Some visit over and over: their end is told.
TEST_F(Detectors, NegativeGcRefsOfATraversalWithoutEndIsItsOnly) {
  collection().replayed.gc_refs[1] = -4;
  collection().replayed.incidents = {{.container = 0,
                                      .outcome = replay::Outcome::timeout,
                                      .pc = pc,
                                      .address = 0,
                                      .number = 0,
                                      .arguments = {}}};
  collection().negatives = {{.object = heap::SetIndex(1), .decrements = {{0, 1, 4}, {2, 1, 1}}}};
  EXPECT_THAT(all(detect_negative_gc_refs), IsEmpty());
  collection().negatives.front().decrements = {}; // more than can be told apart
  EXPECT_THAT(all(detect_negative_gc_refs), IsEmpty());
  collection().negatives.front().decrements = {{0, 1, 3}, {2, 1, 2}};
  EXPECT_THAT(all(detect_negative_gc_refs), SizeIs(1));
}

} // namespace
} // namespace pygc::analysis
