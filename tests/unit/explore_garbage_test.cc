// What a collection of a heap made by hand finds unreachable, and what it would do with it.
#include "common/analysis/explore/garbage.h"
#include "support/heap_builder.h"
#include "support/table_replayer.h"

#include <gmock/gmock.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::HeapBuilder;
using tests::TableReplayer;

std::vector<Address> addresses(const InterpreterGarbage& garbage) {
  std::vector<Address> found;
  for (const GarbageObject& object : garbage.objects) {
    found.push_back(object.address);
  }
  return found;
}

std::vector<Fate> fates(const InterpreterGarbage& garbage) {
  std::vector<Fate> found;
  for (const GarbageObject& object : garbage.objects) {
    found.push_back(object.fate);
  }
  return found;
}

class ExploreGarbage : public ::testing::Test {
protected:
  InterpreterGarbage find(tests::Visits visits, std::vector<replay::Incident> incidents = {}) {
    heap_.finish();
    TableReplayer replayer(heap_.objects(), std::move(visits));
    for (const replay::Incident& incident : incidents) {
      replayer.add_incident(incident);
    }
    for (const auto& [container, visited] : left_) {
      replayer.leave(container, visited);
    }
    if (unclearable_) {
      replayer.add_traced_incident({.container = *unclearable_, .outcome = replay::Outcome::fault});
    }
    auto garbage = find_garbage({.image = heap_.image(),
                                 .reader = heap_.reader(),
                                 .heap = heap_.heap(),
                                 .replayer = replayer,
                                 .tracer = [&]() -> Result<replay::Tracer*> {
                                   if (no_tracer_) {
                                     return fail(ErrorKind::replayer, 0, "no emulator");
                                   }
                                   return &replayer;
                                 },
                                 .most_cleared = most_cleared_},
                                {});
    EXPECT_TRUE(garbage);
    whole_ = *garbage;
    return whole_.interpreters.at(0);
  }

  /// Two objects of a type with a tp_clear that visit each other, and one that the second holds.
  void add_cycle() {
    type_ = heap_.add_type("Node", heap_.add_function("node_traverse"));
    heap_.store(type_ + heap_.runtime().layout.tp_traverse + 8, heap_.add_function("node_clear"));
    heap_.add_object(1, type_);
    heap_.add_object(1, type_);
    heap_.add_object(1);
  }

  HeapBuilder heap_;
  Garbage whole_;
  Address type_ = 0;
  std::map<std::uint32_t, std::vector<std::uint32_t>> left_; // by container, after tp_clear
  std::optional<std::uint32_t> unclearable_;                 // whose tp_clear does not end
  bool no_tracer_ = false;
  std::size_t most_cleared_ = 100;
};

TEST_F(ExploreGarbage, IsWhatNothingFromOutsideReaches) {
  // 0 <-> 1 are garbage and hold 2; 3 <-> 4 are held from outside
  for (const std::uint64_t refcount : {1U, 1U, 1U, 2U, 1U}) {
    heap_.add_object(refcount);
  }
  const InterpreterGarbage found = find({{1}, {0, 2}, {}, {4}, {3}});
  EXPECT_THAT(addresses(found), ElementsAre(heap_.object(0), heap_.object(1), heap_.object(2)));
  EXPECT_EQ(found.collected, 5U);
  EXPECT_EQ(found.outside_cycles, 1U);
  ASSERT_EQ(found.cycles.size(), 1U);
  EXPECT_EQ(found.cycles[0].size, 2U);
  EXPECT_EQ(found.cycles[0].cycles, 1U);
  EXPECT_EQ(found.cycles[0].example, heap_.object(0));
  EXPECT_THAT(whole_.incomplete_because, IsEmpty());
}

TEST_F(ExploreGarbage, FoldsCyclesOfTheSameTypes) {
  const Address other = heap_.add_type("Other", heap_.add_function("other"));
  for (int i = 0; i < 3; ++i) {
    heap_.add_object(1);
    heap_.add_object(1, other);
  }
  heap_.add_object(1);
  const InterpreterGarbage found = find({{1}, {0}, {3}, {2}, {5}, {4}, {6}});
  ASSERT_EQ(found.cycles.size(), 2U);
  EXPECT_EQ(found.cycles[0].cycles, 3U);
  EXPECT_EQ(found.cycles[0].size, 2U);
  EXPECT_EQ(found.cycles[0].types.size(), 2U);
  EXPECT_EQ(found.cycles[1].cycles, 1U);
  EXPECT_EQ(found.cycles[1].size, 1U);
  EXPECT_EQ(found.by_type[0].name, "C");
  EXPECT_EQ(found.by_type[0].objects, 4U);
  EXPECT_NE(found.objects[0].cycle, found.objects[2].cycle);
  EXPECT_EQ(found.objects[0].cycle, found.objects[1].cycle);
}

TEST_F(ExploreGarbage, ToleratesNegativeGcRefs) {
  heap_.add_object(1);
  heap_.add_object(1);
  // 0 is visited twice though it has one reference: a release build keeps it.
  const InterpreterGarbage found = find({{1}, {0, 0}});
  EXPECT_THAT(addresses(found), IsEmpty());
}

TEST_F(ExploreGarbage, KeepsWhatLegacyFinalizersReach) {
  const Address legacy = heap_.add_type("Legacy", heap_.add_function("legacy"));
  heap_.store(legacy + heap_.runtime().layout.tp_is_gc + 48, 0x1234);
  heap_.add_object(1, legacy);
  heap_.add_object(1);
  heap_.add_object(1);
  heap_.add_object(1);
  // 0 <-> 1 -> 2; 3 visits itself
  const InterpreterGarbage found = find({{1}, {0, 2}, {}, {3}});
  EXPECT_EQ(found.legacy_finalizers, 1U);
  EXPECT_EQ(found.uncollectable, 3U);
  EXPECT_EQ(found.objects[2].fate, Fate::uncollectable);
  EXPECT_EQ(found.objects[3].fate, Fate::stays); // its type has no tp_clear
}

TEST_F(ExploreGarbage, ListsFinalizersThatHaveNotRun) {
  const Address type = heap_.add_type("F", heap_.add_function("f"));
  heap_.store(type + heap_.runtime().layout.tp_is_gc + 64, 0x1234);
  heap_.add_object(1, type);
  heap_.add_object(1, type);
  heap_.heap().states.set(heap::HeapIndex(1), {0, false, true});
  const InterpreterGarbage found = find({{0}, {1}});
  ASSERT_EQ(found.finalizers.size(), 1U);
  EXPECT_EQ(found.finalizers[0].name, "F");
  EXPECT_EQ(found.finalizers[0].objects, 1U);
}

TEST_F(ExploreGarbage, CountsCallbacksOfWeakReferencesThatLive) {
  const Address type = heap_.add_type("W", heap_.add_function("w"));
  heap_.store(type + heap_.runtime().layout.tp_traverse + 24, 40);
  const std::uint32_t object = heap_.add_object(1, type);
  const std::uint32_t dies = heap_.add_object(1);
  const Address lives = heap_.reserve(64);
  const Address silent = heap_.reserve(64);
  heap_.store(heap_.object(object) + 40, heap_.object(dies));
  heap_.store(heap_.object(dies) + 16 + 8, 0x1000);
  heap_.store(heap_.object(dies) + 16 + 32, lives);
  heap_.store(lives + 16 + 8, 0x1000);
  heap_.store(lives + 16 + 32, silent);
  const InterpreterGarbage found = find({{0, 1}, {}});
  EXPECT_EQ(found.objects.size(), 2U);
  EXPECT_EQ(found.callbacks, 1U);
}

const tests::Visits cycle = {{1}, {0, 2}, {}};

TEST_F(ExploreGarbage, LeavesNothingWhereTpClearBreaksTheCycle) {
  add_cycle();
  left_ = {{0, {1}}}; // the other one forgets nothing
  const InterpreterGarbage found = find(cycle);
  EXPECT_THAT(fates(found), ElementsAre(Fate::freed, Fate::freed, Fate::freed));
  const LeftGarbage& left = found.left;
  EXPECT_EQ(left.examined, 2U);
  EXPECT_EQ(left.objects, 0U);
  EXPECT_EQ(left.cycles, 0U);
  EXPECT_THAT(left.references, IsEmpty());
}

TEST_F(ExploreGarbage, StaysWhereTpClearLeavesTheCycle) {
  add_cycle();
  left_ = {{0, {1}}, {1, {0, 2}}};
  const InterpreterGarbage found = find(cycle);
  EXPECT_THAT(fates(found), ElementsAre(Fate::stays, Fate::stays, Fate::stays));
  const LeftGarbage& left = found.left;
  EXPECT_EQ(left.objects, 3U); // the third is held by the cycle
  EXPECT_EQ(left.cycles, 1U);
  EXPECT_FALSE(left.finalizers);
  ASSERT_EQ(left.references.size(), 1U);
  EXPECT_EQ(left.references[0].type, "Node");
  EXPECT_EQ(left.references[0].function, "node_clear");
  EXPECT_EQ(left.references[0].objects, 2U);
  EXPECT_EQ(left.references[0].example, heap_.object(0));
  EXPECT_EQ(left.references[0].visited, heap_.object(1));
}

TEST_F(ExploreGarbage, WhatACycleHoldsThatStaysIsAskedWhatItKeeps) {
  add_cycle();
  heap_.add_object(1); // held by the third, which has no tp_clear
  heap_.add_object(1, type_);
  heap_.add_object(1);
  // The cycle holds the third one, that the fourth, that the fifth; whose tp_clear drops the sixth.
  left_ = {{0, {1}}, {1, {0, 2}}};
  const InterpreterGarbage found = find({{1}, {0, 2}, {3}, {4}, {5}, {}});
  EXPECT_THAT(fates(found), ElementsAre(Fate::stays, Fate::stays, Fate::stays, Fate::stays,
                                        Fate::stays, Fate::freed));
  EXPECT_EQ(found.left.objects, 5U);
  EXPECT_EQ(found.left.examined, 2U); // those in the cycle
}

TEST_F(ExploreGarbage, OtherCyclesThanThoseLookedAtMayStay) {
  add_cycle();
  tests::Visits visits = cycle;
  most_cleared_ = 20;
  for (std::uint32_t i = 0; i <= most_cleared_; ++i) { // one cycle, too large
    const std::uint32_t node = heap_.add_object(1);
    visits.push_back({i == most_cleared_ ? 3 : node + 1});
  }
  heap_.add_object(1);
  visits[3].push_back(static_cast<std::uint32_t>(visits.size()));
  visits.emplace_back();
  const InterpreterGarbage found = find(visits);
  EXPECT_EQ(found.left.passed, most_cleared_ + 1);
  EXPECT_EQ(found.objects[0].fate, Fate::freed);
  EXPECT_EQ(found.objects[3].fate, Fate::unknown);
  EXPECT_EQ(found.objects.back().fate, Fate::unknown); // held by that cycle
}

TEST_F(ExploreGarbage, MayBeBrokenByAFinalizer) {
  add_cycle();
  heap_.store(type_ + heap_.runtime().layout.tp_is_gc + 64, 0x1234);
  left_ = {{0, {1}}, {1, {0}}};
  const LeftGarbage left = find(cycle).left;
  EXPECT_EQ(left.cycles, 1U);
  EXPECT_TRUE(left.finalizers);
}

TEST_F(ExploreGarbage, StaysWhereNoTypeOfTheCycleHasATpClear) {
  heap_.add_object(1);
  const LeftGarbage left = find({{0}}).left;
  EXPECT_EQ(left.objects, 1U);
  ASSERT_EQ(left.references.size(), 1U);
  EXPECT_EQ(left.references[0].function, "");
}

TEST_F(ExploreGarbage, SaysNothingOfACycleWhoseTpClearDoesNotEnd) {
  add_cycle();
  left_ = {{0, {1}}, {1, {0}}};
  unclearable_ = 0;
  const InterpreterGarbage found = find(cycle);
  EXPECT_THAT(fates(found), ElementsAre(Fate::unknown, Fate::unknown, Fate::freed));
  const LeftGarbage& left = found.left;
  EXPECT_EQ(left.not_run, 1U);
  EXPECT_EQ(left.objects, 0U);
}

TEST_F(ExploreGarbage, SaysWhyNoTpClearWasRun) {
  add_cycle();
  no_tracer_ = true;
  const InterpreterGarbage found = find(cycle);
  EXPECT_THAT(fates(found), ElementsAre(Fate::unknown, Fate::unknown, Fate::unknown));
  const LeftGarbage& left = found.left;
  EXPECT_EQ(left.problem, "no emulator");
  EXPECT_EQ(left.objects, 0U);
}

TEST_F(ExploreGarbage, DoesNotClearWhatGoesToGcGarbage) {
  add_cycle();
  heap_.store(type_ + heap_.runtime().layout.tp_is_gc + 48, 0x1234);
  left_ = {{0, {1}}, {1, {0}}};
  const LeftGarbage left = find(cycle).left;
  EXPECT_EQ(left.examined, 0U);
  EXPECT_EQ(left.objects, 0U);
}

TEST_F(ExploreGarbage, IsALowerBoundWhenATraversalFails) {
  heap_.add_object(1);
  const InterpreterGarbage found =
      find({{0}}, {{.container = 0, .outcome = replay::Outcome::fault}});
  EXPECT_EQ(found.objects.size(), 1U);
  EXPECT_THAT(whole_.incomplete_because,
              ElementsAre("1 traversals that did not come to their end"));
}

} // namespace
} // namespace pygc::analysis
