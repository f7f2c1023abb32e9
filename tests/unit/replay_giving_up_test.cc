// Traversals that give up by themselves, and functions whose traversals do not end: each engine
// tells the same.
#include "replay_emulated_fixture.h"

#include <algorithm>
#include <chrono>

namespace pygc::replay::testing {
namespace {

enum class Engine : std::uint8_t { native, emulated };

class ReplayGivingUp : public ::testing::TestWithParam<Engine> {
protected:
  std::unique_ptr<Replayer> start() {
    if (GetParam() == Engine::native) {
      return testing::start(image, with_options);
    }
    return start_tracer(image.memory(), with_options);
  }

  RoundResult run(Replayer& replayer, const std::vector<Address>& objects) {
    const std::vector<std::uint64_t> refcounts(objects.size(), 5);
    auto result = replayer.run({.objects = objects, .refcounts = refcounts});
    EXPECT_TRUE(result) << result.error().reason;
    return result ? std::move(*result) : RoundResult{};
  }

  Image image;
  Options with_options = options();
};

INSTANTIATE_TEST_SUITE_P(Engines, ReplayGivingUp,
                         ::testing::Values(Engine::native, Engine::emulated),
                         [](const auto& engine) {
                           return engine.param == Engine::native ? "Native" : "Emulated";
                         });

TEST_P(ReplayGivingUp, AFatalFunctionEndsTheTraversalWithItsArguments) {
  const Address fatal = image.add_code({0x0f, 0x0b}); // would be told as an illegal instruction
  // sub $8,%rsp; mov $..,%rdi; mov $..,%rsi (as %rdi, encoded 48 be); call *%rax
  Code second = load_rdi(0x2222);
  second[1] = 0xbe;
  const Address function = image.add_code(Code{0x48, 0x83, 0xec, 0x08} + load_rdi(0x1111) + second +
                                          load_rax(fatal) + Code{0xff, 0xd0});
  const Address child = image.add_object_with(ret_zero);
  const Address bad = image.add_object(image.add_type(function));
  const Address good = image.add_object_with(visiting({child}));
  with_options.fatal_functions = {fatal};
  const auto replayer = start();
  ASSERT_TRUE(replayer);
  for (int pass = 0; pass < 2; ++pass) {
    const auto result = run(*replayer, {child, bad, good});
    EXPECT_EQ(result.traversed, 2U);
    EXPECT_EQ(result.gc_refs[0], 4);
    ASSERT_EQ(result.incidents.size(), 1U);
    const Incident& incident = result.incidents.front();
    EXPECT_EQ(incident.outcome, Outcome::assertion);
    EXPECT_EQ(incident.container, 1U);
    EXPECT_EQ(incident.address, fatal);
    EXPECT_EQ(incident.pc, function + 36); // behind the call
    EXPECT_EQ(incident.arguments[0], 0x1111U);
    EXPECT_EQ(incident.arguments[1], 0x2222U);
  }
}

TEST_P(ReplayGivingUp, AFatalFunctionThatIsNotThereIsNone) {
  const Address child = image.add_object_with(ret_zero);
  const Address good = image.add_object_with(visiting({child}));
  with_options.fatal_functions = {unmapped + 64, 0x10, protocol::own_start, 0};
  const auto replayer = start();
  ASSERT_TRUE(replayer);
  const auto result = run(*replayer, {child, good});
  EXPECT_EQ(result.traversed, 2U);
  EXPECT_EQ(result.gc_refs[0], 4);
}

TEST_P(ReplayGivingUp, AFunctionThatDoesNotEndIsLeftAfterAFewTimes) {
  const Address child = image.add_object_with(ret_zero);
  const Address endless = image.add_type(image.add_code({0x90, 0xeb, 0xfd}));
  const Address good = image.add_type(image.add_code(visiting({child})));
  std::vector<Address> objects{child};
  for (int i = 0; i < 50; ++i) {
    objects.push_back(image.add_object(endless));
    objects.push_back(image.add_object(good));
  }
  const auto replayer = start();
  ASSERT_TRUE(replayer);
  const auto begun = std::chrono::steady_clock::now();
  for (int pass = 0; pass < 2; ++pass) {
    const auto result = run(*replayer, objects);
    EXPECT_EQ(result.traversed, 51U);
    EXPECT_EQ(result.gc_refs[0], 5 - 50);
    const auto of = [&](Outcome outcome) {
      return std::ranges::count(result.incidents, outcome, &Incident::outcome);
    };
    EXPECT_EQ(of(Outcome::timeout), pass == 0 ? 3 : 0);
    ASSERT_GE(of(Outcome::skipped), 1);
    const auto skipped = std::ranges::find(result.incidents, Outcome::skipped, &Incident::outcome);
    EXPECT_EQ(skipped->container, pass == 0 ? 7U : 1U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

} // namespace
} // namespace pygc::replay::testing
