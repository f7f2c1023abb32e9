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

TEST(ReplayRound, SubtractsVisits) {
  Image image;
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
}

} // namespace
} // namespace pygc::replay::testing
