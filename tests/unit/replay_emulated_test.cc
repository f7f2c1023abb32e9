// The emulated engine gives what the native one gives, object by object and incident by incident.
#include "replay_emulated_fixture.h"

#include "common/replay/emulated_replayer.h"

#include <gmock/gmock.h>

#include <csignal>
#include <dirent.h>
#include <fstream>
#include <string>
#include <sys/syscall.h>

namespace pygc::replay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Scenario {
  std::vector<Address> objects;
  std::vector<std::uint64_t> refcounts;
  std::vector<std::uint32_t> watched;
};

/// What both engines say of the scenario.
RoundResult same_of_both(Image& image, const Scenario& scenario, const Options& options) {
  const auto& memory = image.memory();
  auto native = start_native(memory, options, [] { return false; });
  auto tracer = start_tracer(memory, options);
  if (!native || !tracer) {
    return {};
  }
  RoundResult last;
  for (int pass = 0; pass < 2; ++pass) {
    const Round round{
        .objects = scenario.objects, .refcounts = scenario.refcounts, .watched = scenario.watched};
    const auto expected = (*native)->run(round);
    const auto actual = tracer->run(round);
    if (!expected || !actual) {
      ADD_FAILURE() << (expected ? actual.error().reason : expected.error().reason);
      return {};
    }
    EXPECT_EQ(actual->gc_refs, expected->gc_refs);
    EXPECT_EQ(actual->unknown, expected->unknown);
    EXPECT_EQ(actual->traversed, expected->traversed);
    EXPECT_EQ(actual->visits, expected->visits);
    EXPECT_EQ(actual->decrements.size(), expected->decrements.size());
    for (std::size_t i = 0; i < actual->decrements.size(); ++i) {
      EXPECT_EQ(actual->decrements[i].container, expected->decrements[i].container);
      EXPECT_EQ(actual->decrements[i].watched, expected->decrements[i].watched);
      EXPECT_EQ(actual->decrements[i].visits, expected->decrements[i].visits);
    }
    EXPECT_EQ(actual->incidents.size(), expected->incidents.size());
    for (std::size_t i = 0; i < actual->incidents.size(); ++i) {
      EXPECT_EQ(actual->incidents[i].container, expected->incidents[i].container);
      EXPECT_EQ(actual->incidents[i].outcome, expected->incidents[i].outcome);
      EXPECT_EQ(actual->incidents[i].number, expected->incidents[i].number);
      if (expected->incidents[i].outcome != Outcome::timeout) {
        EXPECT_EQ(actual->incidents[i].pc, expected->incidents[i].pc);
        EXPECT_EQ(actual->incidents[i].address, expected->incidents[i].address);
      }
    }
    last = *actual;
  }
  return last;
}

class EmulatedRound : public ::testing::TestWithParam<Layout> {
protected:
  Image image{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Layouts, EmulatedRound,
                         ::testing::Values(Layout::aligned, Layout::unaligned),
                         [](const auto& layout) {
                           return layout.param == Layout::aligned ? "aligned" : "unaligned";
                         });

TEST_P(EmulatedRound, CountsAsTheNativeEngine) {
  const Address plain = image.add_object(image.add_type(0, false));
  const Address outside = image.add_object_with(ret_zero);
  const Address refuses =
      image.add_object(image.add_type(image.add_code(ret_zero), true, image.add_code(ret_zero)));
  const Code yes{0xb8, 1, 0, 0, 0, 0xc3}; // mov $1,%eax; ret
  const Address agrees =
      image.add_object(image.add_type(image.add_code(ret_zero), true, image.add_code(yes)));
  const Address victim = image.add_object_with(ret_zero);
  const Address parent =
      image.add_object_with(visiting({plain, outside, refuses, agrees, victim, victim}));
  const Address other = image.add_object_with(visiting({victim, parent}));
  const auto result = same_of_both(image,
                                   {.objects = {victim, refuses, agrees, parent, other},
                                    .refcounts = {1, 1, 1, 1, 1},
                                    .watched = {0, 3}},
                                   options());
  EXPECT_THAT(result.gc_refs, ElementsAre(-2, 1, 0, 0, 1));
  EXPECT_EQ(result.visits, 5u);
  EXPECT_EQ(result.traversed, 5u);
  EXPECT_THAT(result.decrements, SizeIs(3));
  EXPECT_THAT(result.incidents, IsEmpty());
}

TEST_P(EmulatedRound, UsesTheTargetsOwnVisitor) {
  const Address visit_decref = image.add_code(visit_decref_code);
  const Address child = image.add_object_with(ret_zero);
  // As compilers inline it: cmp %rsi,%rax; jne 1f; mov child,%rdi; subq $4,-8(%rdi); 1: ret
  const Code inlined = load_rax(visit_decref) + Code{0x48, 0x39, 0xf0, 0x75, 0x0f} +
                       load_rdi(child) + Code{0x48, 0x83, 0x6f, 0xf8, 0x04} + ret_zero;
  const Address parent = image.add_object_with(inlined);
  const Address caller = image.add_object_with(visiting({child}));
  auto with_visitor = options();
  with_visitor.visit_decref = visit_decref;
  const auto result = same_of_both(
      image, {.objects = {child, parent, caller}, .refcounts = {5, 1, 1}, .watched = {}},
      with_visitor);
  EXPECT_THAT(result.gc_refs, ElementsAre(3, 1, 1));
}

TEST_P(EmulatedRound, LeavesOutWhatTheNativeEngineLeavesOut) {
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({child}));
  const Address untyped = image.add_object(unmapped + 64);
  const Address no_traverse = image.add_object(image.add_type(0));
  const auto result = same_of_both(image,
                                   {.objects = {unmapped + 64, child, code_base + 0x8000, parent,
                                                0x1a5a'0000'1000, untyped, no_traverse},
                                    .refcounts = {7, 7, 7, 7, 7, 7, 1},
                                    .watched = {1, 2}},
                                   options());
  EXPECT_THAT(result.unknown, ElementsAre(0, 2, 4));
  EXPECT_THAT(result.incidents, SizeIs(5));
}

TEST_P(EmulatedRound, ListsTheSameVisits) {
  const Address plain = image.add_object(image.add_type(0, false));
  const Address child = image.add_object_with(ret_zero);
  const Address parent = image.add_object_with(visiting({plain, child, child}));
  const auto& memory = image.memory();
  auto native = start_native(memory, options(), [] { return false; });
  auto tracer = start_tracer(memory, options());
  ASSERT_TRUE(native && tracer);
  const std::vector<Address> containers(400'000, parent); // more than one buffer holds
  std::vector<Incident> incidents;
  const auto expected = (*native)->visits(containers, 0, &incidents);
  const auto actual = tracer->visits(containers, 0, &incidents);
  ASSERT_TRUE(expected && actual);
  EXPECT_THAT(incidents, IsEmpty());
  ASSERT_EQ(actual->size(), 1'200'000u);
  for (std::size_t i = 0; i < actual->size(); ++i) {
    ASSERT_EQ((*actual)[i].container, (*expected)[i].container);
    ASSERT_EQ((*actual)[i].object, (*expected)[i].object);
  }
}

struct Bad {
  const char* name;
  Code code;
  Outcome outcome;
};

const std::vector<Bad>& bad_cases() {
  static const std::vector<Bad> cases{
      {"NullPointer", {0x48, 0x8b, 0x04, 0x25, 0x18, 0, 0, 0}, Outcome::fault},
      {"IllegalInstruction", {0x0f, 0x0b}, Outcome::illegal_instruction},
      {"UndefinedInstruction", {0x0f, 0xb9, 0xc0}, Outcome::illegal_instruction},
      {"PrivilegedInstruction", {0xf4}, Outcome::fault},
      {"Breakpoint", {0x90, 0xcc}, Outcome::trap},
      {"DivisionByZero", {0x31, 0xc9, 0x31, 0xc0, 0x31, 0xd2, 0xf7, 0xf1}, Outcome::trap},
      {"SystemCall", {0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0x31, 0xc0, 0xc3}, Outcome::syscall},
      {"EndlessLoop", {0x90, 0xeb, 0xfd}, Outcome::timeout},
      {"EndlessRecursion", {0xe8, 0xfb, 0xff, 0xff, 0xff}, Outcome::fault},
      {"BrokenStackPointer", {0x31, 0xe4, 0x50}, Outcome::fault},
      {"DirectionFlag",
       {0xfd, 0xd9, 0xee, 0x6a, 0x00, 0x0f, 0xae, 0x14, 0x24, 0x0f, 0x0b},
       Outcome::illegal_instruction},
      {"JumpToUnmapped", load_rax(unmapped) + Code{0xff, 0xe0}, Outcome::fault},
      {"JumpToNull", {0x31, 0xc0, 0xff, 0xe0}, Outcome::fault},
      {"JumpToData", load_rax(data_base + 8) + Code{0xff, 0xe0}, Outcome::fault},
      {"ReadOfUnmapped", load_rax(unmapped + 8) + Code{0x48, 0x8b, 0x00}, Outcome::fault},
      {"WriteToUnmapped", load_rax(unmapped + 8) + Code{0x48, 0x89, 0x00}, Outcome::fault},
      {"ReadOfNoCanonicalAddress",
       load_rax(data_base | 0x4100'0000'0000'0000) + Code{0x48, 0x8b, 0x00}, Outcome::fault},
      {"ReadOfAKernelAddress", load_rax(0xffff'8880'0000'1238) + Code{0x48, 0x8b, 0x00},
       Outcome::fault},
      {"WriteToCode", load_rax(code_base) + Code{0x48, 0x89, 0x00}, Outcome::write},
      {"VisitOfNoObject", visiting({unmapped + 64}), Outcome::fault},
      {"NoThreadLocalStorage", {0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0}, Outcome::fault},
  };
  return cases;
}

class EmulatedIncident : public ::testing::TestWithParam<Bad> {};

INSTANTIATE_TEST_SUITE_P(Cases, EmulatedIncident, ::testing::ValuesIn(bad_cases()),
                         [](const auto& bad) { return bad.param.name; });

TEST_P(EmulatedIncident, IsTheNativeEnginesIncident) {
  Image image;
  const Address child = image.add_object_with(ret_zero);
  const Address good = image.add_type(image.add_code(visiting({child})));
  const Address before = image.add_object(good);
  const Address bad = image.add_object_with(GetParam().code);
  const Address after = image.add_object(good);
  const auto result = same_of_both(
      image, {.objects = {child, before, bad, after}, .refcounts = {5, 1, 1, 1}, .watched = {0}},
      options());
  EXPECT_THAT(result.gc_refs, ElementsAre(3, 1, 1, 1));
  ASSERT_THAT(result.incidents, SizeIs(1));
  EXPECT_EQ(result.incidents[0].outcome, GetParam().outcome);
}

struct Lacking {
  const char* name;
  Code code;
};

class EmulatedLacks : public ::testing::TestWithParam<Lacking> {};

INSTANTIATE_TEST_SUITE_P(
    Instructions, EmulatedLacks,
    ::testing::Values(Lacking{"vpermd", {0xc4, 0xe2, 0x75, 0x36, 0xc2}},
                      // The emulator itself would take these for SSE instructions.
                      Lacking{"vaddps", {0xc5, 0xf4, 0x58, 0xc2}},
                      Lacking{"vmovss", {0xc5, 0xfa, 0x10, 0x07}},
                      Lacking{"vfmadd231ps", {0xc4, 0xe2, 0x75, 0xb8, 0xc2}},
                      Lacking{"vpaddb_512", {0x62, 0xf1, 0x75, 0x48, 0xfc, 0xc2}},
                      Lacking{"sha1nexte", {0x0f, 0x38, 0xc8, 0xc1}}),
    [](const auto& lacking) { return lacking.param.name; });

TEST_P(EmulatedLacks, IsNeverAFaultOfTheTarget) {
  Image image;
  const Address function = image.add_code(Code{0x90} + GetParam().code + ret_zero);
  const Address object = image.add_object(image.add_type(function));
  auto tracer = start_tracer(image.memory(), options());
  ASSERT_TRUE(tracer);
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = tracer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result) << result.error().reason;
  ASSERT_THAT(result->incidents, SizeIs(1));
  EXPECT_EQ(result->incidents[0].outcome, Outcome::unsupported_instruction);
  EXPECT_EQ(result->incidents[0].pc, function + 1);
}

TEST(Emulated, KnowsVexInstructionsOnGeneralRegisters) {
  Image image;
  // andn %rdi,%rdi,%rax; test %rax,%rax; je 1f; ud2; 1:
  const Address object = image.add_object_with(
      Code{0xc4, 0xe2, 0xc0, 0xf2, 0xc7, 0x48, 0x85, 0xc0, 0x74, 0x02, 0x0f, 0x0b} + ret_zero);
  auto tracer = start_tracer(image.memory(), options());
  ASSERT_TRUE(tracer);
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = tracer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result);
  EXPECT_THAT(result->incidents, IsEmpty());
}

TEST(Emulated, ThreadLocalStorage) {
  Image image;
  auto with_thread = options();
  with_thread.thread_pointer = data_base + 0x8000;
  image.store(data_base + 0x8000, 0x5a);
  // mov %fs:0,%rax; cmp $0x5a,%rax; je 1f; ud2; 1:
  const Address object = image.add_object_with(Code{0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48,
                                                    0x83, 0xf8, 0x5a, 0x74, 0x02, 0x0f, 0x0b} +
                                               ret_zero);
  const auto result =
      same_of_both(image, {.objects = {object}, .refcounts = {1}, .watched = {}}, with_thread);
  EXPECT_EQ(result.traversed, 1u);
}

TEST(Emulated, MissingExecutable) {
  Image image;
  auto missing = options();
  missing.replayer_path = "/nonexistent/pygc-replayer-emulated";
  const auto tracer = start_emulated(image.memory(), missing, [] { return false; });
  ASSERT_FALSE(tracer);
  EXPECT_EQ(tracer.error().kind, ErrorKind::replayer);
  EXPECT_NE(tracer.error().reason.find("Unicorn"), std::string::npos);
}

TEST(Emulated, IsLockedIn) {
  Image image;
  const Address object = image.add_object_with(ret_zero);
  auto tracer = start_tracer(image.memory(), options());
  ASSERT_TRUE(tracer);
  const std::vector<TraceRequest> requests{{object, 0}};
  ASSERT_TRUE(tracer->trace(requests));
  const std::string process =
      "/proc/" + std::to_string(static_cast<const EmulatedReplayer&>(*tracer).pid());
  std::ifstream status(process + "/status");
  std::vector<std::string> lock;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("NoNewPrivs:") || line.starts_with("Seccomp:")) {
      lock.push_back(line);
    }
  }
  EXPECT_THAT(lock, ElementsAre("NoNewPrivs:\t1", "Seccomp:\t2"));
  DIR* directory = ::opendir((process + "/fd").c_str());
  ASSERT_NE(directory, nullptr);
  std::vector<std::string> descriptors;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') {
      descriptors.emplace_back(entry->d_name);
    }
  }
  ::closedir(directory);
  EXPECT_THAT(descriptors, ElementsAre("3"));
}

} // namespace
} // namespace pygc::replay::testing
