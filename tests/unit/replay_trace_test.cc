// Slots, counted visits and incidents of traced traversals.
#include "replay_emulated_fixture.h"

#include <gmock/gmock.h>

#include <sys/syscall.h>

namespace pygc::replay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReplayTrace : public ::testing::Test {
protected:
  Trace trace(const std::vector<TraceRequest>& requests) {
    tracer = start_tracer(image.memory(), with_options);
    if (!tracer) {
      return {};
    }
    auto first = tracer->trace(requests);
    EXPECT_TRUE(first) << first.error().reason;
    auto second = tracer->trace(requests); // nothing was left behind
    EXPECT_TRUE(second) << second.error().reason;
    if (!first || !second) {
      return {};
    }
    EXPECT_EQ(slots(*first), slots(*second));
    EXPECT_EQ(first->incidents.size(), second->incidents.size());
    return *first;
  }

  static std::vector<Address> slots(const Trace& trace) {
    std::vector<Address> slots;
    slots.reserve(trace.visits.size());
    for (const auto& visit : trace.visits) {
      slots.push_back(visit.slot.at);
    }
    return slots;
  }

  static std::vector<bool> counted(const Trace& trace) {
    std::vector<bool> counted;
    counted.reserve(trace.visits.size());
    for (const auto& visit : trace.visits) {
      counted.push_back(visit.counted);
    }
    return counted;
  }

  static std::vector<bool> repeated(const Trace& trace) {
    std::vector<bool> repeated;
    repeated.reserve(trace.visits.size());
    for (const auto& visit : trace.visits) {
      repeated.push_back(visit.repeated);
    }
    return repeated;
  }

  Image image;
  Options with_options = options();
  std::unique_ptr<Tracer> tracer;
};

/// With the target's visit_decref known and unknown.
class ReplayTraceVisitor : public ReplayTrace, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Known, ReplayTraceVisitor, ::testing::Bool());

TEST_F(ReplayTrace, StaticSlotTwice) {
  const Address child = image.add_object_with(ret_zero);
  const Address slot = image.reserve(8);
  image.store(slot, child);
  const Address object = image.add_object_with(visiting_slots({slot, slot}));
  const auto result = trace({{object, 0}});
  EXPECT_THAT(slots(result), ElementsAre(slot, slot));
  EXPECT_THAT(counted(result), ElementsAre(true, true));
  EXPECT_THAT(repeated(result), ElementsAre(false, true));
  EXPECT_EQ(result.visits[0].object, child);
  EXPECT_THAT(result.incidents, IsEmpty());
  EXPECT_GT(result.instructions, 10u);
}

TEST_F(ReplayTrace, FieldOfTheObject) {
  const Address child = image.add_object_with(ret_zero);
  // mov %rsi,%rax; mov 0x18(%rdi),%rdi; mov %rdx,%rsi; jmp *%rax
  const Address object = image.add_object_with(
      {0x48, 0x89, 0xf0, 0x48, 0x8b, 0x7f, 0x18, 0x48, 0x89, 0xd6, 0xff, 0xe0});
  image.store(object + 0x18, child);
  EXPECT_THAT(slots(trace({{object, 0}})), ElementsAre(object + 0x18));
}

/// push %rbx; push %r12; push %r13; mov %rsi,%rbx; mov 0x18(%rdi),%r12; mov 0x20(%rdi),%r13
const Code loads_two_fields{0x53, 0x41, 0x54, 0x41, 0x55, 0x48, 0x89, 0xf3,
                            0x4c, 0x8b, 0x67, 0x18, 0x4c, 0x8b, 0x6f, 0x20};
const Code visits_r12{0x4c, 0x89, 0xe7, 0xff, 0xd3}; // mov %r12,%rdi; call *%rbx
const Code visits_r13{0x4c, 0x89, 0xef, 0xff, 0xd3}; // mov %r13,%rdi; call *%rbx
const Code pops_three{0x41, 0x5d, 0x41, 0x5c, 0x5b}; // pop %r13; pop %r12; pop %rbx

TEST_F(ReplayTrace, TwoFieldsWithOneValueLoadedBeforeEitherIsVisited) {
  const Address child = image.add_object_with(ret_zero);
  const Address object =
      image.add_object_with(loads_two_fields + visits_r12 + visits_r13 + pops_three + ret_zero);
  image.store(object + 0x18, child);
  image.store(object + 0x20, child);
  const auto result = trace({{object, 0}});
  EXPECT_THAT(slots(result), ElementsAre(object + 0x20, object + 0x18));
  EXPECT_THAT(repeated(result), ElementsAre(false, false));
  EXPECT_THAT(result.others, IsEmpty());
}

TEST_F(ReplayTrace, ASlotWithoutAVisitIsListed) {
  const Address child = image.add_object_with(ret_zero);
  const Address object =
      image.add_object_with(loads_two_fields + visits_r12 + pops_three + ret_zero);
  image.store(object + 0x18, child);
  image.store(object + 0x20, child);
  const auto result = trace({{object, 0}});
  EXPECT_THAT(slots(result), ElementsAre(object + 0x20));
  ASSERT_THAT(result.others, SizeIs(1));
  EXPECT_EQ(result.others[0].object, child);
  EXPECT_EQ(result.others[0].slot.at, object + 0x18);
}

TEST_F(ReplayTrace, MoreFieldsWithOneValueThanAreRememberedAreNotRepeated) {
  const Address child = image.add_object_with(ret_zero);
  std::vector<Address> fields;
  for (int i = 0; i < 40; ++i) {
    fields.push_back(image.reserve(8));
    image.store(fields.back(), child);
  }
  const Address object = image.add_object_with(visiting_slots(fields));
  const auto result = trace({{object, 0}});
  EXPECT_EQ(slots(result), fields);
  EXPECT_THAT(repeated(result), ::testing::Each(false));
}

TEST_F(ReplayTrace, CallsOfWatchedFunctions) {
  const Address child = image.add_object_with(ret_zero);
  const Address allocates = image.add_code(ret_zero);
  // mov allocates,%rax; call *%rax
  const Address function = image.add_code(Code{0x53, 0x48, 0x89, 0xf3, 0x5b} + load_rax(allocates) +
                                          Code{0xff, 0xd0, 0xff, 0xd0} + ret_zero);
  const Address object = image.add_object(image.add_type(function));
  tracer = start_tracer(image.memory(), with_options);
  const auto watched =
      tracer->trace(std::vector<TraceRequest>{{child, 0}, {object, 0}}, std::vector{allocates});
  ASSERT_TRUE(watched);
  ASSERT_THAT(watched->incidents, ::testing::Not(IsEmpty()));
  EXPECT_EQ(watched->incidents[0].outcome, Outcome::call);
  EXPECT_EQ(watched->incidents[0].container, 1u);
  EXPECT_EQ(watched->incidents[0].address, allocates);
  EXPECT_EQ(watched->incidents[0].pc, function + 17);
  EXPECT_THAT(trace({{object, 0}}).incidents,
              ::testing::Each(::testing::Field(&Incident::outcome, ::testing::Ne(Outcome::call))));
}

TEST_F(ReplayTrace, WhatIsPutBackIsAnUndoneWrite) {
  const Address counter = image.reserve(8);
  // mov counter,%rax; incq (%rax); decq (%rax)
  const Address function =
      image.add_code(load_rax(counter) + Code{0x48, 0xff, 0x00, 0x48, 0xff, 0x08} + ret_zero);
  const Address object = image.add_object(image.add_type(function));
  const auto incidents = trace({{object, 0}}).incidents;
  ASSERT_THAT(incidents, SizeIs(1)); // of both instructions
  EXPECT_EQ(incidents[0].outcome, Outcome::undone_write);
  EXPECT_EQ(incidents[0].address, counter);
  EXPECT_EQ(incidents[0].number, 8);
  EXPECT_EQ(incidents[0].pc, function + 10);
}

TEST_F(ReplayTrace, ALockThatIsGivenBackIsAnUndoneWriteOfAByte) {
  const Address mutex = image.reserve(8);
  // mov mutex,%rax; mov %rax,%rcx; mov $1,%edx; xor %eax,%eax; lock cmpxchg %dl,(%rcx);
  // mov $1,%eax; xor %edx,%edx; lock cmpxchg %dl,(%rcx)
  const Address object = image.add_object_with(
      load_rax(mutex) +
      Code{0x48, 0x89, 0xc1, 0xba, 0x01, 0x00, 0x00, 0x00, 0x31, 0xc0, 0xf0, 0x0f, 0xb0,
           0x11, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x31, 0xd2, 0xf0, 0x0f, 0xb0, 0x11} +
      ret_zero);
  const auto incidents = trace({{object, 0}}).incidents;
  ASSERT_THAT(incidents, SizeIs(1));
  EXPECT_EQ(incidents[0].outcome, Outcome::undone_write);
  EXPECT_EQ(incidents[0].address, mutex);
  EXPECT_EQ(incidents[0].number, 1);
}

TEST_F(ReplayTrace, WhatIsWrittenAsItWasIsNoWrite) {
  const Address counter = image.reserve(8);
  // mov counter,%rax; mov (%rax),%rcx; mov %rcx,(%rax); mov %rcx,(%rax)
  const Address object = image.add_object_with(
      load_rax(counter) + Code{0x48, 0x8b, 0x08, 0x48, 0x89, 0x08, 0x48, 0x89, 0x08} + ret_zero);
  EXPECT_THAT(trace({{object, 0}}).incidents, IsEmpty());
}

TEST_F(ReplayTrace, FieldBehindTwoPointers) {
  const Address child = image.add_object_with(ret_zero);
  const Address outer = image.reserve(32);
  const Address inner = image.reserve(32);
  // mov %rsi,%rax; mov 0x18(%rdi),%rdi; mov 8(%rdi),%rdi; mov 0x10(%rdi),%rdi; jmp *%rax
  const Address object =
      image.add_object_with({0x48, 0x89, 0xf0, 0x48, 0x8b, 0x7f, 0x18, 0x48, 0x8b, 0x7f, 0x08, 0x48,
                             0x8b, 0x7f, 0x10, 0xff, 0xe0});
  image.store(object + 0x18, outer);
  image.store(outer + 8, inner);
  image.store(inner + 0x10, child);
  EXPECT_THAT(slots(trace({{object, 0}})), ElementsAre(inner + 0x10));
}

TEST_F(ReplayTrace, CopiesOnTheStackAreNoSlots) {
  const Address child = image.add_object_with(ret_zero);
  // mov %rsi,%rax; push 0x18(%rdi); pop %rdi; jmp *%rax
  const Address object =
      image.add_object_with({0x48, 0x89, 0xf0, 0xff, 0x77, 0x18, 0x5f, 0xff, 0xe0});
  image.store(object + 0x18, child);
  EXPECT_THAT(slots(trace({{object, 0}})), ElementsAre(object + 0x18));
}

TEST_F(ReplayTrace, LoadsOfSixteenBytes) {
  const Address child = image.add_object_with(ret_zero);
  // mov %rsi,%rax; movdqu 0x10(%rdi),%xmm0; psrldq $8,%xmm0; movq %xmm0,%rdi; jmp *%rax
  const Address object =
      image.add_object_with({0x48, 0x89, 0xf0, 0xf3, 0x0f, 0x6f, 0x47, 0x10, 0x66, 0x0f,
                             0x73, 0xd8, 0x08, 0x66, 0x48, 0x0f, 0x7e, 0xc7, 0xff, 0xe0});
  image.store(object + 0x18, child);
  EXPECT_THAT(slots(trace({{object, 0}})), ElementsAre(object + 0x18));
}

TEST_F(ReplayTrace, NotLoadedButComputed) {
  const Address child = image.add_object_with(ret_zero);
  const Address object = image.add_object_with(visiting({child}));
  EXPECT_THAT(slots(trace({{object, 0}})), ElementsAre(0u));
}

TEST_F(ReplayTrace, SlotsOfOneRequestAreNotTheNext) {
  const Address child = image.add_object_with(ret_zero);
  const Address slot = image.reserve(8);
  image.store(slot, child);
  const Address loads = image.add_object_with(visiting_slots({slot}));
  const Address computes = image.add_object_with(visiting({child}));
  const Address function = image.add_code(visiting_slots({slot}));
  const auto result = trace({{loads, 0}, {computes, 0}, {computes, function}});
  EXPECT_THAT(slots(result), ElementsAre(slot, 0u, slot));
  EXPECT_EQ(result.visits[2].request, 2u);
}

TEST_P(ReplayTraceVisitor, VisitsOfObjectsWithoutGcHeadDoNotCount) {
  if (GetParam()) {
    with_options.visit_decref = image.add_code(visit_decref_code);
  }
  const Address plain = image.add_object(image.add_type(0, false));
  const Address child = image.add_object_with(ret_zero);
  const Address refuses =
      image.add_object(image.add_type(image.add_code(ret_zero), true, image.add_code(ret_zero)));
  const Address object = image.add_object_with(visiting({plain, child, refuses}));
  EXPECT_THAT(counted(trace({{object, 0}})), ElementsAre(false, true, false));
}

TEST_F(ReplayTrace, BorrowedStackReferencesDoNotCount) {
  with_options.visit_decref = image.add_code(visit_decref_code);
  const Address child = image.add_object_with(ret_zero);
  const Address borrowed = image.reserve(8);
  const Address owned = image.reserve(8);
  image.store(borrowed, child | 1);
  image.store(owned, child);
  // The owned one is visited always; the borrowed one before it unless the visitor is visit_decref:
  // push %rbx; push %rbp; push %rax; mov %rsi,%rbx; mov visit_decref,%rax; cmp %rax,%rsi; je 1f;
  // mov borrowed,%rax; mov (%rax),%rdi; and $-2,%rdi; call *%rbx
  const Code body = Code{0x53, 0x55, 0x50, 0x48, 0x89, 0xf3} + load_rax(with_options.visit_decref) +
                    Code{0x48, 0x39, 0xc6, 0x74, 0x13} + load_rax(borrowed) +
                    Code{0x48, 0x8b, 0x38, 0x48, 0x83, 0xe7, 0xfe, 0xff, 0xd3} +
                    // 1: mov owned,%rax; mov (%rax),%rdi; call *%rbx; pop; pop; pop
                    load_rax(owned) + Code{0x48, 0x8b, 0x38, 0xff, 0xd3, 0x58, 0x5d, 0x5b};
  const Address object = image.add_object_with(body + ret_zero);
  const auto result = trace({{object, 0}});
  EXPECT_THAT(slots(result), ElementsAre(borrowed, owned));
  EXPECT_THAT(counted(result), ElementsAre(false, true));
}

TEST_F(ReplayTrace, LeavesTheImageAsItWas) {
  with_options.visit_decref = image.add_code(visit_decref_code);
  const Address child = image.add_object_with(ret_zero);
  const Address counter = image.reserve(8);
  // mov counter,%rax; incq (%rax)
  const Code writes = load_rax(counter) + Code{0x48, 0xff, 0x00};
  const Address object = image.add_object_with(writes + visiting({child}));
  // mov counter,%rax; cmpq $0,(%rax); je 1f; ud2; 1:
  const Address check = image.add_object_with(
      load_rax(counter) + Code{0x48, 0x83, 0x38, 0x00, 0x74, 0x02, 0x0f, 0x0b} + ret_zero);
  const auto result = trace({{object, 0}, {object, 0}, {check, 0}});
  ASSERT_THAT(result.incidents, SizeIs(2));
  const std::vector<Address> objects{child, check};
  const std::vector<std::uint64_t> refcounts{3, 1};
  const auto round = tracer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(round);
  EXPECT_THAT(round->gc_refs, ElementsAre(3, 1));
  EXPECT_THAT(round->incidents, IsEmpty());
}

TEST_F(ReplayTrace, AWriteIsAnIncidentAndTheTraversalGoesOn) {
  const Address child = image.add_object_with(ret_zero);
  const Address counter = image.reserve(8);
  const Address function =
      image.add_code(load_rax(counter) + Code{0x48, 0xff, 0x00} + visiting({child}));
  const Address object = image.add_object(image.add_type(function));
  const auto result = trace({{child, 0}, {object, 0}});
  ASSERT_THAT(result.incidents, SizeIs(1));
  EXPECT_EQ(result.incidents[0].container, 1u);
  EXPECT_EQ(result.incidents[0].outcome, Outcome::write);
  EXPECT_EQ(result.incidents[0].pc, function + 10);
  EXPECT_EQ(result.incidents[0].address, counter);
  EXPECT_THAT(result.visits, SizeIs(1));
}

TEST_F(ReplayTrace, IncidentsEndOneTraversalAlone) {
  const Address child = image.add_object_with(ret_zero);
  const Address good = image.add_object_with(visiting({child}));
  const Code dies = visiting({child});
  const Code visits_once(dies.begin(), dies.end() - 9); // without the epilogue
  const Address null = image.add_object_with({0x48, 0x8b, 0x04, 0x25, 0x18, 0, 0, 0});
  const Address illegal = image.add_object_with(visits_once + Code{0x0f, 0x0b});
  const Address call = image.add_object_with({0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3});
  const Address loop = image.add_object_with({0xeb, 0xfe});
  const Address vector = image.add_object_with({0xc5, 0xf4, 0x58, 0xc2, 0xc3});
  const Address untyped = image.add_object(unmapped + 64);
  const auto result = trace({{null, 0},
                             {good, 0},
                             {illegal, 0},
                             {call, 0},
                             {loop, 0},
                             {vector, 0},
                             {untyped, 0},
                             {good, 0}});
  std::vector<Outcome> outcomes;
  outcomes.reserve(result.incidents.size());
  for (const auto& incident : result.incidents) {
    outcomes.push_back(incident.outcome);
  }
  EXPECT_THAT(outcomes,
              ElementsAre(Outcome::fault, Outcome::illegal_instruction, Outcome::syscall,
                          Outcome::timeout, Outcome::unsupported_instruction, Outcome::not_run));
  EXPECT_EQ(result.incidents[2].number, SYS_getpid);
  EXPECT_THAT(result.visits, SizeIs(3));
}

TEST_F(ReplayTrace, MoreIncidentsThanOneBufferHolds) {
  const Address bad = image.add_object_with({0x0f, 0x0b});
  const auto result = trace(std::vector<TraceRequest>(10'000, {bad, 0}));
  ASSERT_THAT(result.incidents, SizeIs(10'000));
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    ASSERT_EQ(result.incidents[i].container, i);
  }
}

} // namespace
} // namespace pygc::replay::testing
