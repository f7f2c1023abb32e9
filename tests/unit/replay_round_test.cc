// The collector's arithmetic on images made by hand.
#include "replay_fixture.h"

#include <gmock/gmock.h>

namespace pygc::replay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RoundResult run(Replayer& replayer, const Round& round) {
  auto result = replayer.run(round);
  EXPECT_TRUE(result) << result.error().reason;
  return result.value_or(RoundResult{});
}

class ReplayRound : public ::testing::TestWithParam<Layout> {
protected:
  Image image{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Layouts, ReplayRound,
                         ::testing::Values(Layout::aligned, Layout::unaligned),
                         [](const auto& layout) {
                           return layout.param == Layout::aligned ? "aligned" : "unaligned";
                         });

TEST_P(ReplayRound, SubtractsVisits) {
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({child}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{child, parent};
  const std::vector<std::uint64_t> refcounts{3, 1};
  const auto result = run(*replayer, {.objects = objects, .refcounts = refcounts});
  EXPECT_THAT(result.gc_refs, ElementsAre(2, 1));
  EXPECT_EQ(result.visits, 1u);
  EXPECT_EQ(result.traversed, 2u);
  EXPECT_THAT(result.incidents, IsEmpty());
  EXPECT_THAT(result.unknown, IsEmpty());
  EXPECT_EQ(replayer->failed_regions(), 0u);
}

TEST_P(ReplayRound, GoesBelowZeroAndRepeats) {
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({child, child}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{child, parent};
  const std::vector<std::uint64_t> refcounts{1, 1};
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_THAT(run(*replayer, {.objects = objects, .refcounts = refcounts}).gc_refs,
                ElementsAre(-1, 1));
  }
}

TEST_P(ReplayRound, UsesTheTargetsOwnVisitor) {
  const Address visit_decref = image.add_code(visit_decref_code);
  const Address child = image.add_object_with(ret_zero);
  // A traverse function that does nothing unless it is passed the target's visit_decref: as
  // compilers inline it. cmp %rsi,%rax; jne 1f; mov child,%rdi; subq $4,-8(%rdi); 1: ret
  const Code inlined = load_rax(visit_decref) + Code{0x48, 0x39, 0xf0, 0x75, 0x0f} +
                       load_rdi(child) + Code{0x48, 0x83, 0x6f, 0xf8, 0x04} + ret_zero;
  const Address parent = image.add_object_with(inlined);
  const Address caller = image.add_object_with(visiting({child}));
  auto with_visitor = options();
  with_visitor.visit_decref = visit_decref;
  auto replayer = start(image, with_visitor);
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{child, parent, caller};
  const std::vector<std::uint64_t> refcounts{5, 1, 1};
  EXPECT_THAT(run(*replayer, {.objects = objects, .refcounts = refcounts}).gc_refs,
              ElementsAre(3, 1, 1));
}

TEST_P(ReplayRound, CountsOnlyCollectedGcObjects) {
  const Address plain = image.add_object(image.add_type(0, false));
  const Address outside = image.add_object_with(ret_zero);
  const Address refuses = image.add_object(
      image.add_type(image.add_code(ret_zero), true, image.add_code(ret_zero))); // tp_is_gc: no
  const Address inside = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({plain, outside, refuses, inside}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{inside, refuses, parent};
  const std::vector<std::uint64_t> refcounts{1, 1, 1};
  const auto result = run(*replayer, {.objects = objects, .refcounts = refcounts});
  EXPECT_THAT(result.gc_refs, ElementsAre(0, 1, 1));
  EXPECT_EQ(result.visits, 1u);
}

TEST_P(ReplayRound, ClearsStaleCollectingBits) {
  const Address stale =
      image.add_object(image.add_type(image.add_code(ret_zero)), (7U << 2U) | collecting);
  const Address parent = image.add_object_with(visiting({stale}));
  // This traverse function faults if bit 1 of the stale object is set:
  // mov stale-8,%rdi; testb $2,(%rdi); je 1f; ud2; 1: ret
  const Address check = image.add_object_with(
      load_rdi(stale - 8) + Code{0xf6, 0x07, 0x02, 0x74, 0x02, 0x0f, 0x0b} + ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{parent, check};
  const std::vector<std::uint64_t> refcounts{1, 1};
  const std::vector<Address> others{stale, unmapped + 64};
  EXPECT_EQ(run(*replayer, {.objects = objects, .refcounts = refcounts}).incidents.size(), 1u);
  const auto result =
      run(*replayer, {.objects = objects, .refcounts = refcounts, .clear_collecting = others});
  EXPECT_THAT(result.incidents, IsEmpty());
}

TEST_P(ReplayRound, TraversesOnlyTheRange) {
  const Address child = image.add_object_with(ret_zero);
  const Address type = image.add_type(image.add_code(visiting({child})));
  std::vector<Address> objects{child};
  for (int i = 0; i < 4; ++i) {
    objects.push_back(image.add_object(type));
  }
  const std::vector<std::uint64_t> refcounts(objects.size(), 10);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const auto result =
      run(*replayer, {.objects = objects, .refcounts = refcounts, .first = 2, .count = 2});
  EXPECT_THAT(result.gc_refs, ElementsAre(8, 10, 10, 10, 10));
  EXPECT_EQ(result.traversed, 2u);
  const auto behind =
      run(*replayer, {.objects = objects, .refcounts = refcounts, .first = 99, .count = 2});
  EXPECT_EQ(behind.traversed, 0u);
}

TEST_P(ReplayRound, AttributesDecrementsOfWatchedObjects) {
  const Address victim = image.add_object_with(ret_zero);
  const Address other = image.add_object_with(ret_zero);
  const Address twice = image.add_object_with(visiting({victim, other, victim}));
  const Address never = image.add_object_with(visiting({other}));
  // Visits once, then faults: that one visit stays.
  Code dies = visiting({victim});
  dies.resize(dies.size() - 9); // without the epilogue
  const Address broken = image.add_object_with(dies + Code{0x0f, 0x0b});
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{victim, other, twice, never, broken};
  const std::vector<std::uint64_t> refcounts(objects.size(), 2);
  const std::vector<std::uint32_t> watched{0};
  const auto result =
      run(*replayer, {.objects = objects, .refcounts = refcounts, .watched = watched});
  ASSERT_EQ(result.decrements.size(), 2u);
  EXPECT_EQ(result.decrements[0].container, 2u);
  EXPECT_EQ(result.decrements[0].watched, 0u);
  EXPECT_EQ(result.decrements[0].visits, 2u);
  EXPECT_EQ(result.decrements[1].container, 4u);
  EXPECT_EQ(result.decrements[1].visits, 1u);
  EXPECT_EQ(result.gc_refs[0], -1);
}

TEST_P(ReplayRound, AttributesMoreDecrementsThanOneBufferHolds) {
  const Address victim = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({victim}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  std::vector<Address> objects(10'001, parent);
  objects[0] = victim;
  const std::vector<std::uint64_t> refcounts(objects.size(), 1);
  const std::vector<std::uint32_t> watched{0};
  const auto result =
      run(*replayer, {.objects = objects, .refcounts = refcounts, .watched = watched});
  ASSERT_EQ(result.decrements.size(), 10'000u);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    ASSERT_EQ(result.decrements[i].container, i + 1);
  }
  EXPECT_EQ(result.gc_refs[0], 1 - 10'000);
}

TEST_P(ReplayRound, LeavesOutObjectsItCannotWrite) {
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({child}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const Address in_code = code_base + 0x8000;
  const Address replayers_own = 0x1a5a'0000'1000;
  const std::vector<Address> objects{unmapped + 64, child, in_code, parent, replayers_own, 1};
  const std::vector<std::uint64_t> refcounts(objects.size(), 7);
  const auto result = run(*replayer, {.objects = objects, .refcounts = refcounts});
  EXPECT_THAT(result.gc_refs, ElementsAre(7, 6, 7, 7, 7, 7));
  EXPECT_THAT(result.unknown, ElementsAre(0, 2, 4, 5));
  ASSERT_EQ(result.incidents.size(), 4u);
  for (const auto& incident : result.incidents) {
    EXPECT_EQ(incident.outcome, Outcome::not_run);
  }
  EXPECT_EQ(result.traversed, 2u);
}

TEST_P(ReplayRound, RefcountsBeyondReasonAreUnknown) {
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({child}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{child, parent};
  const std::vector<std::uint64_t> refcounts{~std::uint64_t{0}, 1};
  const auto result = run(*replayer, {.objects = objects, .refcounts = refcounts});
  EXPECT_THAT(result.unknown, ElementsAre(0));
  EXPECT_EQ(result.gc_refs[1], 1);
}

TEST_P(ReplayRound, AnOverwrittenHeadIsUnknown) {
  const Address victim = image.add_object_with(ret_zero);
  // movq $0,-8(%rdi) with the victim's address
  const Address scribbler =
      image.add_object_with(load_rdi(victim) + Code{0x48, 0xc7, 0x47, 0xf8, 0, 0, 0, 0} + ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{victim, scribbler};
  const std::vector<std::uint64_t> refcounts{4, 1};
  const auto result = run(*replayer, {.objects = objects, .refcounts = refcounts});
  EXPECT_THAT(result.unknown, ElementsAre(0));
  EXPECT_THAT(result.gc_refs, ElementsAre(4, 1));
}

TEST_P(ReplayRound, RefusesNonsense) {
  const Address child = image.add_object_with(ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{child};
  const std::vector<std::uint64_t> refcounts{1, 2};
  EXPECT_FALSE(replayer->run({.objects = objects, .refcounts = refcounts}));
  const std::vector<std::uint64_t> one{1};
  const std::vector<std::uint32_t> absent{1};
  EXPECT_FALSE(replayer->run({.objects = objects, .refcounts = one, .watched = absent}));
  const std::vector<std::uint32_t> too_many(max_watched + 1, 0);
  auto limited = replayer->run({.objects = objects, .refcounts = one, .watched = too_many});
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().kind, ErrorKind::limit);
  EXPECT_TRUE(replayer->run({.objects = objects, .refcounts = one}));
}

TEST_P(ReplayRound, ListsVisits) {
  const Address plain = image.add_object(image.add_type(0, false));
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({plain, child, child}));
  const Address module_traverse = image.add_code(visiting({parent}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> containers{child, parent};
  std::vector<Incident> incidents;
  auto visits = replayer->visits(containers, 0, &incidents);
  ASSERT_TRUE(visits) << visits.error().reason;
  ASSERT_EQ(visits->size(), 3u);
  EXPECT_EQ((*visits)[0].container, 1u);
  EXPECT_EQ((*visits)[0].object, plain);
  EXPECT_EQ((*visits)[2].object, child);
  EXPECT_THAT(incidents, IsEmpty());
  auto replaced = replayer->visits(std::span(containers).first(1), module_traverse, nullptr);
  ASSERT_TRUE(replaced);
  ASSERT_EQ(replaced->size(), 1u);
  EXPECT_EQ((*replaced)[0].object, parent);
}

TEST_P(ReplayRound, ListsMoreVisitsThanOneBufferHolds) {
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({child, child, child}));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> containers(1'500'000, parent);
  auto visits = replayer->visits(containers, 0, nullptr);
  ASSERT_TRUE(visits) << visits.error().reason;
  ASSERT_EQ(visits->size(), 4'500'000u);
  for (std::size_t i = 0; i < visits->size(); ++i) {
    ASSERT_EQ((*visits)[i].container, i / 3);
  }
}

TEST_P(ReplayRound, OneTraversalWithoutEndHasNoListOfVisits) {
  const Address child = image.add_object_with(ret_zero);
  // push %rbx; mov %rsi,%rbx; 1: mov child,%rdi; call *%rbx; jmp 1b
  const Address endless = image.add_object_with(Code{0x53, 0x48, 0x89, 0xf3} + load_rdi(child) +
                                                Code{0xff, 0xd3, 0xeb, 0xf2});
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> containers{child, endless};
  std::vector<Incident> incidents;
  auto visits = replayer->visits(containers, 0, &incidents);
  // Whichever comes first on this machine.
  if (!visits) {
    EXPECT_EQ(visits.error().kind, ErrorKind::limit);
    return;
  }
  EXPECT_TRUE(visits->empty());
  ASSERT_EQ(incidents.size(), 1U);
  EXPECT_EQ(incidents[0].container, 1U);
  EXPECT_EQ(incidents[0].outcome, Outcome::timeout);
}

} // namespace
} // namespace pygc::replay::testing
