// What tp_clear leaves of an object's references, in the emulated engine.
#include "replay_emulated_fixture.h"

#include <gmock/gmock.h>

namespace pygc::replay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Visits the fields at 0x18 and 0x20 that are not null.
const Code visits_two_fields{0x53, 0x41, 0x54, 0x41, 0x55, // push %rbx; push %r12; push %r13
                             0x48, 0x89, 0xf3,             // mov %rsi,%rbx
                             0x4c, 0x8b, 0x67, 0x18,       // mov 0x18(%rdi),%r12
                             0x4c, 0x8b, 0x6f, 0x20,       // mov 0x20(%rdi),%r13
                             0x4d, 0x85, 0xe4, 0x74, 0x05, // test %r12,%r12; je 1f
                             0x4c, 0x89, 0xe7, 0xff, 0xd3, // mov %r12,%rdi; call *%rbx
                             0x4d, 0x85, 0xed, 0x74, 0x05, // 1: test %r13,%r13; je 2f
                             0x4c, 0x89, 0xef, 0xff, 0xd3, // mov %r13,%rdi; call *%rbx
                             0x41, 0x5d, 0x41, 0x5c, 0x5b, // 2: pop %r13; pop %r12; pop %rbx
                             0x31, 0xc0, 0xc3};            // xor %eax,%eax; ret

/// Py_CLEAR of the field at 0x18; the process dies where that would deallocate.
const Code clears_one_field{0x48, 0x8b, 0x47, 0x18,                         // mov 0x18(%rdi),%rax
                            0x48, 0xc7, 0x47, 0x18, 0x00, 0x00, 0x00, 0x00, // movq $0,0x18(%rdi)
                            0x48, 0xff, 0x08, 0x75, 0x02, 0x0f, 0x0b, // decq (%rax); jne 1f; ud2
                            0x31, 0xc0, 0xc3};                        // 1: xor %eax,%eax; ret

class ReplayClear : public ::testing::Test {
protected:
  ReplayClear() {
    child = image.add_object_with(ret_zero);
    image.store(child, 1); // a reference
    object = image.add_object_with(visits_two_fields);
    image.store(object + 0x18, child);
    image.store(object + 0x20, object);
  }

  Trace clear(const std::vector<TraceRequest>& requests, const AttachedThread& thread = {}) {
    tracer = start_tracer(image.memory(), options());
    auto trace = tracer ? tracer->trace_cleared(requests, thread) : Trace{};
    EXPECT_TRUE(trace) << trace.error().reason;
    return trace ? std::move(*trace) : Trace{};
  }

  static std::vector<Address> slots(const Trace& trace) {
    std::vector<Address> slots;
    slots.reserve(trace.visits.size());
    for (const TracedVisit& visit : trace.visits) {
      slots.push_back(visit.slot.at);
    }
    return slots;
  }

  Image image;
  Address child = 0;
  Address object = 0;
  std::unique_ptr<Tracer> tracer;
};

TEST_F(ReplayClear, ListsWhatIsVisitedAfterIt) {
  const Trace trace = clear({{object, image.add_code(clears_one_field)}});
  EXPECT_THAT(trace.incidents, IsEmpty()); // the child was held
  EXPECT_THAT(slots(trace), ElementsAre(object + 0x20));
}

TEST_F(ReplayClear, LeavesTheImageAsItWas) {
  const Address function = image.add_code(clears_one_field);
  const Trace trace = clear({{object, function}, {object, function}});
  EXPECT_THAT(slots(trace), ElementsAre(object + 0x20, object + 0x20));
  const auto again = tracer->trace(std::vector<TraceRequest>{{object, 0}});
  ASSERT_TRUE(again);
  EXPECT_THAT(again->visits, SizeIs(2));
}

TEST_F(ReplayClear, ThatDoesNotEndTellsNothingOfItsObjectAlone) {
  const Address dies = image.add_code({0x0f, 0x0b}); // ud2
  const Trace trace = clear({{object, dies}, {object, image.add_code(clears_one_field)}});
  ASSERT_THAT(trace.incidents, SizeIs(1));
  EXPECT_EQ(trace.incidents[0].container, 0U);
  EXPECT_EQ(trace.incidents[0].outcome, Outcome::illegal_instruction);
  EXPECT_THAT(slots(trace), ElementsAre(object + 0x20));
  EXPECT_EQ(trace.visits[0].request, RequestIndex(1));
}

/// mov $word,%rax; mov (%rax),%rax
Code reads(Address word) {
  return load_rax(word) + Code{0x48, 0x8b, 0x00};
}

TEST_F(ReplayClear, AttachesAThread) {
  const Address current = image.reserve(8);
  const Address thread = image.reserve(8);
  const Address getter = image.add_code(reads(current) + Code{0xc3});
  // And of the thread, if there is one, the first word.
  const Address function =
      image.add_code(reads(current) + Code{0x48, 0x8b, 0x00} + clears_one_field);
  const AttachedThread attached{.thread_state = {getter, thread}, .interpreter = {}};
  EXPECT_THAT(clear({{object, function}}, attached).incidents, IsEmpty());
  EXPECT_THAT(clear({{object, function}}).incidents, SizeIs(1));
}

TEST_F(ReplayClear, AttachesWhereTheFunctionDiesOfTheNull) {
  const Address current = image.reserve(8);
  const Address interpreter = image.reserve(8);
  const Address getter = image.add_code(reads(current) + Code{0x48, 0x8b, 0x00, 0xc3});
  const Address function =
      image.add_code(reads(current) + Code{0x48, 0x8b, 0x00} + clears_one_field);
  const AttachedThread attached{.thread_state = {}, .interpreter = {getter, interpreter}};
  EXPECT_THAT(clear({{object, function}}, attached).incidents, IsEmpty());
}

} // namespace
} // namespace pygc::replay::testing
