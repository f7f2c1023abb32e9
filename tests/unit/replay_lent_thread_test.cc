// A word of the target's that a waiting thread has emptied is filled in the replayers' copy alone.
#include "tests/unit/replay_emulated_fixture.h"

#include <gmock/gmock.h>

namespace pygc::replay {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LentThreads : public ::testing::Test {
protected:
  LentThreads() {
    // mov word,%rax; mov (%rax),%rax; mov %rax,(%rax); ret: faults where the word is null.
    container =
        image.add_object_with(load_rax(word) + Code{0x48, 0x8b, 0x00, 0x48, 0x89, 0x00} + ret_zero);
  }

  static Options lending(LentWord word) {
    Options with = options();
    with.thread_state = word;
    return with;
  }
  static std::unique_ptr<Replayer> native(const image::AddressSpace& memory, LentWord word = {}) {
    auto replayer = start_native(memory, lending(word), [] { return false; });
    EXPECT_TRUE(replayer) << replayer.error().reason;
    return replayer ? std::move(*replayer) : nullptr;
  }

  std::vector<Outcome> incidents_of(Replayer& replayer) const {
    const std::vector<Address> objects = {container};
    const std::vector<std::uint64_t> refcounts = {1};
    const auto result = replayer.run({.objects = objects, .refcounts = refcounts});
    EXPECT_TRUE(result) << result.error().reason;
    std::vector<Outcome> outcomes;
    for (const Incident& incident : result->incidents) {
      outcomes.push_back(incident.outcome);
    }
    return outcomes;
  }

  Image image;
  Address word = image.reserve(8);
  Address state = image.reserve(64);
  Address container = 0;
};

TEST_F(LentThreads, AreThereForTheNativeEngine) {
  const image::AddressSpace& memory = image.memory();
  const auto without = native(memory);
  EXPECT_THAT(incidents_of(*without), ElementsAre(Outcome::fault));
  const auto with = native(memory, {.at = word, .value = state});
  EXPECT_THAT(incidents_of(*with), IsEmpty());
}

TEST_F(LentThreads, AreThereForTheEmulatedEngine) {
  const image::AddressSpace& memory = image.memory();
  const auto without = start_tracer(memory, options());
  EXPECT_THAT(incidents_of(*without), ElementsAre(Outcome::fault));
  const auto with = start_tracer(memory, lending({.at = word, .value = state}));
  EXPECT_THAT(incidents_of(*with), IsEmpty());
  EXPECT_EQ(memory.load<std::uint64_t>(word), std::uint64_t{0}); // the target's own
}

TEST_F(LentThreads, ThatCannotBeWrittenAreLeftOut) {
  const image::AddressSpace& memory = image.memory();
  for (const Address nowhere : {unmapped, code_base + 64, Address{16}}) {
    const auto replayer = native(memory, {.at = nowhere, .value = state});
    EXPECT_THAT(incidents_of(*replayer), ElementsAre(Outcome::fault));
  }
}

} // namespace
} // namespace pygc::replay
