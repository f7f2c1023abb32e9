// Owners of slots, slots of other owners, and what a collection would find reachable, on heaps made
// by hand.
#include "common/analysis/facts/foreign_slots.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/reachability.h"
#include "common/cpython/collector/phase.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::HeapBuilder;
using tests::TableReplayer;

class Owners : public ::testing::Test {
protected:
  Owners() {
    plain_ = heap_.add_object(1);
    module_ = heap_.add_module(heap_.add_definition(32, heap_.add_function("m_traverse")), 32);
    lone_ = heap_.add_module(heap_.add_definition(-1, heap_.add_function("m_lone")), -1);
    buffer_ = heap_.reserve(64);
    heap_.image().library().symbols["cache"] = tests::static_base + 0x40;
    heap_.finish();
  }

  HeapBuilder heap_;
  std::uint32_t plain_ = 0;
  std::uint32_t module_ = 0;
  std::uint32_t lone_ = 0;
  Address buffer_ = 0;
};

TEST_F(Owners, AreToldByWhereASlotLies) {
  Ownership ownership(heap_.image(), heap_.reader());
  const Address object = heap_.object(plain_);
  EXPECT_EQ(ownership.owner(object, {object + 24}), Owner::object);
  EXPECT_EQ(ownership.owner(object, {object - 24}), Owner::object); // before the GC head
  EXPECT_EQ(ownership.owner(object, {buffer_}), Owner::object); // dynamic memory that it reaches
  EXPECT_EQ(ownership.owner(object, {tests::static_base + 8}), Owner::static_storage);
  EXPECT_EQ(ownership.owner(object, {tests::runtime_base + 8}), Owner::runtime);
  EXPECT_EQ(ownership.owner(object, {tests::runtime_base + 0x100}), Owner::object);
  EXPECT_EQ(ownership.owner(object, {tests::interpreter_base + 8}), Owner::interpreter);
  EXPECT_EQ(ownership.owner(object, {0}), Owner::unknown);
}

TEST_F(Owners, OfAModuleIsItsState) {
  Ownership ownership(heap_.image(), heap_.reader());
  const Address module = heap_.object(module_);
  const Address state = heap_.reader().module(module)->state;
  EXPECT_EQ(ownership.owner(module, {state}), Owner::module_state);
  EXPECT_EQ(ownership.owner(module, {buffer_}), Owner::module_state);
  EXPECT_EQ(ownership.owner(module, {module + 16}), Owner::object);
}

TEST_F(Owners, OtherThanTheContainerMakeForeignSlots) {
  const Address slot = tests::static_base + 0x40;
  SlotSurvey survey;
  survey.requests = {{heap_.object(plain_), 0}, {heap_.object(lone_), 0}, {heap_.object(lone_), 1}};
  const SlotVisit visit{.request = {},
                        .object = 0x5000,
                        .slot = {slot},
                        .owner = Owner::static_storage,
                        .counted = true};
  for (const std::uint32_t request : {0U, 1U, 2U}) {
    survey.visits.push_back(visit);
    survey.visits.back().request = replay::RequestIndex(request);
  }
  const auto slots = find_foreign_slots(survey, heap_.reader());
  ASSERT_THAT(slots, SizeIs(1));
  EXPECT_EQ(slots[0].slot.at, slot);
  ASSERT_THAT(slots[0].visits, SizeIs(2)); // not the m_traverse traced alone
  EXPECT_FALSE(slots[0].visits[0].single_with_globals);
  EXPECT_TRUE(slots[0].visits[1].single_with_globals);
  for (SlotVisit& each : survey.visits) {
    each.counted = false;
  }
  EXPECT_THAT(find_foreign_slots(survey, heap_.reader()), IsEmpty());
}

TEST(Phases, HaveTheNamesOfTheirFunctions) {
  for (const cpython::Phase phase :
       {cpython::Phase::update_refs, cpython::Phase::subtract_refs, cpython::Phase::delete_garbage,
        cpython::Phase::invoke_gc_callback}) {
    EXPECT_EQ(cpython::phase_named(cpython::phase_name(phase)), phase);
  }
  EXPECT_EQ(cpython::phase_name(cpython::Phase::subtract_refs), "subtract_refs");
  EXPECT_EQ(cpython::phase_named("gc_collect_main"), cpython::Phase::unknown);
}

/// 0 is referred to from outside and visits 1, 1 visits 2; 3 and 4 visit each other; 5 is negative.
class Reachability : public ::testing::Test {
protected:
  Reachability() {
    for (std::uint32_t i = 0; i < 7; ++i) {
      set_.objects.push_back(0x1000 + i * 0x100);
      set_.heap_index.emplace_back(i);
    }
    set_.refcounts = {1, 1, 1, 1, 1, 0, 1};
    replayer_.emplace(set_.objects, tests::Visits{{1}, {2}, {}, {4}, {3}, {6}, {5}});
    result_ = *replayer_->run({.objects = set_.objects, .refcounts = set_.refcounts});
  }

  heap::CollectedSet set_;
  std::optional<TableReplayer> replayer_;
  replay::RoundResult result_;
};

TEST_F(Reachability, SpreadsFromWhatHasReferencesOutside) {
  EXPECT_EQ(result_.gc_refs[5], -1);
  EXPECT_EQ(*find_reachable(*replayer_, set_, result_, {}),
            (std::vector<bool>{true, true, true, false, false, true, true}));
}

} // namespace
} // namespace pygc::analysis
