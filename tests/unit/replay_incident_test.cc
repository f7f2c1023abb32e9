// What target code must not be able to do, and what becomes of it when it tries: that one traversal
// ends, with the address where it happened, and the walk goes on.
#include "replay_fixture.h"

#include <csignal>
#include <sys/syscall.h>

namespace pygc::replay::testing {
namespace {

/// Runs a bad traverse function between two good ones.
class ReplayIncident : public ::testing::Test {
protected:
  Incident incident_of(const Code& traverse) { return incident_at(image.add_code(traverse)); }

  Incident incident_at(Address traverse) {
    function = traverse;
    const Address child = image.add_object_with(ret_zero);
    const Address good = image.add_type(image.add_code(visiting({child})));
    const Address before = image.add_object(good);
    const Address bad = image.add_object(image.add_type(function));
    const Address after = image.add_object(good);
    auto replayer = start(image, with_options);
    if (!replayer) {
      return {};
    }
    const std::vector<Address> objects{child, before, bad, after};
    const std::vector<std::uint64_t> refcounts{5, 1, 1, 1};
    Incident incident;
    for (int pass = 0; pass < 2; ++pass) {
      const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
      if (!result) {
        ADD_FAILURE() << result.error().reason;
        return {};
      }
      EXPECT_EQ(result->traversed, 3u);
      EXPECT_EQ(result->gc_refs[0], 3);
      EXPECT_EQ(result->incidents.size(), 1u);
      if (!result->incidents.empty()) {
        incident = result->incidents[0];
      }
    }
    EXPECT_EQ(incident.container, 2u);
    return incident;
  }

  Image image;
  Options with_options = options();
  Address function = 0;
};

TEST_F(ReplayIncident, NullPointer) {
  const auto incident = incident_of({0x48, 0x8b, 0x04, 0x25, 0x18, 0, 0, 0}); // mov 0x18,%rax
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, function);
  EXPECT_EQ(incident.address, 0x18u);
  EXPECT_EQ(incident.number, SIGSEGV);
}

TEST_F(ReplayIncident, NonCanonicalPointer) {
  const auto incident =
      incident_of(load_rax(0xdddd'dddd'dddd'dddd) + Code{0x48, 0x8b, 0x00}); // mov (%rax),%rax
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, function + 10);
}

TEST_F(ReplayIncident, IllegalInstruction) {
  const auto incident = incident_of({0x0f, 0x0b});
  EXPECT_EQ(incident.outcome, Outcome::illegal_instruction);
  EXPECT_EQ(incident.pc, function);
}

TEST_F(ReplayIncident, PrivilegedInstruction) {
  const auto incident = incident_of({0xf4}); // hlt
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, function);
}

TEST_F(ReplayIncident, Breakpoint) {
  const auto incident = incident_of({0x90, 0xcc});
  EXPECT_EQ(incident.outcome, Outcome::trap);
  EXPECT_EQ(incident.pc, function + 1);
  EXPECT_EQ(incident.number, SIGTRAP);
}

TEST_F(ReplayIncident, SingleStepFlag) {
  // pushfq; orl $0x100,(%rsp); popfq; nop
  const auto incident =
      incident_of(Code{0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0, 0, 0x9d, 0x90} + ret_zero);
  EXPECT_EQ(incident.outcome, Outcome::trap);
}

TEST_F(ReplayIncident, DivisionByZero) {
  const auto incident = incident_of({0x31, 0xc9, 0x31, 0xc0, 0x31, 0xd2, 0xf7, 0xf1});
  EXPECT_EQ(incident.outcome, Outcome::trap);
  EXPECT_EQ(incident.number, SIGFPE);
}

TEST_F(ReplayIncident, SystemCall) {
  const auto incident =
      incident_of(Code{0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05} + ret_zero); // mov $39,%eax; syscall
  EXPECT_EQ(incident.outcome, Outcome::syscall);
  EXPECT_EQ(incident.number, SYS_getpid);
  EXPECT_EQ(incident.pc, function + 5);
}

TEST_F(ReplayIncident, SystemCallsThatTheReplayerItselfMayMake) {
  for (const int number : {SYS_write, SYS_read, SYS_rt_sigreturn}) {
    Image another;
    const Address bad = another.add_object_with(
        Code{0xbf, 3, 0, 0, 0, 0xb8, static_cast<std::uint8_t>(number), 0, 0, 0, 0x0f, 0x05} +
        ret_zero);
    auto replayer = start(another, options());
    ASSERT_TRUE(replayer);
    const std::vector<Address> objects{bad};
    const std::vector<std::uint64_t> refcounts{1};
    const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
    ASSERT_TRUE(result) << result.error().reason;
    ASSERT_EQ(result->incidents.size(), 1u);
    EXPECT_EQ(result->incidents[0].outcome, Outcome::syscall);
    EXPECT_EQ(result->incidents[0].number, number);
  }
}

TEST_F(ReplayIncident, ThirtyTwoBitSystemCall) {
  const auto incident = incident_of(Code{0xb8, 1, 0, 0, 0, 0xcd, 0x80} + ret_zero); // exit
  // A kernel without 32-bit system calls makes it a fault.
  EXPECT_TRUE(incident.outcome == Outcome::syscall || incident.outcome == Outcome::fault);
}

TEST_F(ReplayIncident, EndlessLoop) {
  const auto incident = incident_of({0x90, 0xeb, 0xfd});
  EXPECT_EQ(incident.outcome, Outcome::timeout);
  EXPECT_GE(incident.pc, function);
  EXPECT_LT(incident.pc, function + 3);
}

TEST_F(ReplayIncident, EndlessRecursion) {
  const auto incident = incident_of({0xe8, 0xfb, 0xff, 0xff, 0xff}); // call itself
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, function);
}

TEST_F(ReplayIncident, BrokenStackPointer) {
  const auto incident = incident_of({0x31, 0xe4, 0x50}); // xor %esp,%esp; push %rax
  EXPECT_EQ(incident.outcome, Outcome::fault);
}

TEST_F(ReplayIncident, DirectionFlagAndFloatingPointState) {
  // std; fldz (eight times fills the stack); ldmxcsr of zero; ud2
  const auto incident =
      incident_of({0xfd, 0xd9, 0xee, 0xd9, 0xee, 0x6a, 0x00, 0x0f, 0xae, 0x14, 0x24, 0x0f, 0x0b});
  EXPECT_EQ(incident.outcome, Outcome::illegal_instruction);
}

TEST_F(ReplayIncident, JumpToUnmapped) {
  const auto incident = incident_of(load_rax(unmapped) + Code{0xff, 0xe0});
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, unmapped);
  EXPECT_EQ(incident.address, unmapped);
}

TEST_F(ReplayIncident, JumpToData) {
  const auto incident = incident_of(load_rax(data_base + 8) + Code{0xff, 0xe0});
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, data_base + 8);
}

TEST_F(ReplayIncident, TraverseOutsideOfMemory) {
  const auto incident = incident_at(unmapped + 8);
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.pc, unmapped + 8);
}

TEST_F(ReplayIncident, NoTraverseAtAll) {
  EXPECT_EQ(incident_at(0).outcome, Outcome::not_run);
}

TEST_F(ReplayIncident, TypeOutsideOfMemory) {
  const Address bad = image.add_object(unmapped + 64);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{bad};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->incidents.size(), 1u);
  EXPECT_EQ(result->incidents[0].outcome, Outcome::not_run);
  EXPECT_EQ(result->incidents[0].address, unmapped + 64 + ObjectShape{}.tp_traverse);
}

TEST_F(ReplayIncident, WriteToUnmapped) {
  const auto incident = incident_of(load_rax(unmapped + 8) + Code{0x48, 0x89, 0x00});
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.address, unmapped + 8);
}

TEST_F(ReplayIncident, WriteToCode) {
  const auto incident = incident_of(load_rax(code_base) + Code{0x48, 0x89, 0x00});
  EXPECT_EQ(incident.outcome, Outcome::write);
  EXPECT_EQ(incident.address, code_base);
  EXPECT_EQ(incident.pc, function + 10);
}

TEST_F(ReplayIncident, VisitOfNoObjectIsTheCallers) {
  const auto incident = incident_of(visiting({unmapped + 64}));
  EXPECT_EQ(incident.outcome, Outcome::fault);
  EXPECT_EQ(incident.address, unmapped + 64 + 8);
  EXPECT_GT(incident.pc, function);
  EXPECT_LT(incident.pc, function + 64);
}

TEST_F(ReplayIncident, ThreadLocalStorage) {
  // mov %fs:0,%rax; cmp what the image has there; je 1f; ud2
  with_options.thread_pointer = data_base + 0x8000;
  image.store(data_base + 0x8000, 0x5a);
  const Address good = image.add_object_with(Code{0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48,
                                                  0x83, 0xf8, 0x5a, 0x74, 0x02, 0x0f, 0x0b} +
                                             ret_zero);
  auto replayer = start(image, with_options);
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{good};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->traversed, 1u);
}

TEST_F(ReplayIncident, NoThreadLocalStorage) {
  const auto incident = incident_of({0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0});
  EXPECT_EQ(incident.outcome, Outcome::fault);
}

TEST_F(ReplayIncident, ZeroPagesAreZeroAndWritable) {
  // mov bss,%rax; cmpq $0,(%rax); je 1f; ud2; 1: mov %rax,(%rax)
  const Address good = image.add_object_with(
      load_rax(bss_base) + Code{0x48, 0x83, 0x38, 0x00, 0x74, 0x02, 0x0f, 0x0b, 0x48, 0x89, 0x00} +
      ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{good};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->traversed, 1u);
}

TEST_F(ReplayIncident, MoreIncidentsThanOneBufferHolds) {
  const Address bad = image.add_object_with({0x0f, 0x0b});
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects(10'000, bad);
  const std::vector<std::uint64_t> refcounts(objects.size(), 1);
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->incidents.size(), 10'000u);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    ASSERT_EQ(result->incidents[i].container, i);
  }
  EXPECT_EQ(result->traversed, 0u);
}

} // namespace
} // namespace pygc::replay::testing
