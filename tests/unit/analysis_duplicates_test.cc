// Which slots count as visited more than once, on surveys made by hand.
#include "common/analysis/facts/duplicate_visits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Address object = 0x5000;
constexpr Address slot = 0x2018;

class DuplicateSlots : public ::testing::Test {
protected:
  /// A visit that counts, by the container's tp_traverse, of which no other slot can be the source.
  SlotVisit& visit(Address container, Address from = slot) {
    if (survey.requests.empty() || survey.requests.back().container != container) {
      survey.requests.push_back({container, 0});
    }
    survey.visits.push_back({.request = replay::RequestIndex(survey.requests.size() - 1),
                             .object = object,
                             .slot = {from},
                             .owner = Owner::object,
                             .counted = true,
                             .certain = true});
    return survey.visits.back();
  }

  SlotSurvey survey;
};

TEST_F(DuplicateSlots, TwoContainersOfOneSlot) {
  visit(0x2000);
  visit(0x3000);
  const auto found = find_duplicate_slots(survey);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].slot.at, slot);
  EXPECT_EQ(found[0].object, object);
  ASSERT_THAT(found[0].containers, SizeIs(2));
  EXPECT_EQ(found[0].visits(), 2U);
}

TEST_F(DuplicateSlots, TwiceByOneContainer) {
  visit(0x2000);
  visit(0x2000).repeated = true;
  const auto found = find_duplicate_slots(survey);
  ASSERT_THAT(found, SizeIs(1));
  ASSERT_THAT(found[0].containers, SizeIs(1));
  EXPECT_EQ(found[0].containers[0].address, 0x2000U);
  EXPECT_EQ(found[0].containers[0].visits, 2U);
}

TEST_F(DuplicateSlots, OneObjectInTwoSlotsIsRight) {
  visit(0x2000, 0x2018);
  visit(0x2000, 0x2020);
  EXPECT_THAT(find_duplicate_slots(survey), IsEmpty());
}

TEST_F(DuplicateSlots, WhatIsNotCountedOrNotCertainIsNoProof) {
  visit(0x2000);
  visit(0x3000).counted = false;
  visit(0x4000).certain = false;
  EXPECT_THAT(find_duplicate_slots(survey), IsEmpty());
}

TEST_F(DuplicateSlots, AStaticSlotIsAnotherMatter) {
  visit(0x2000).owner = Owner::static_storage;
  visit(0x3000).owner = Owner::static_storage;
  EXPECT_THAT(find_duplicate_slots(survey), IsEmpty());
}

TEST_F(DuplicateSlots, AnMTraverseTracedAloneRepeatsItsModule) {
  visit(0x2000);
  survey.requests.push_back({0x2000, 0x9000});
  visit(0x2000);
  EXPECT_THAT(find_duplicate_slots(survey), IsEmpty());
}

} // namespace
} // namespace pygc::analysis
