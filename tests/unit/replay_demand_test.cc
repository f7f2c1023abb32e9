// Replayers whose memory comes as the traversals touch it.
#include "replay_emulated_fixture.h"

#include <set>

namespace pygc::replay::testing {
namespace {

constexpr std::uint64_t page = 4096;

/// The file is whole; what counts is what was asked for, and what is refused.
struct CountingPager final : target::Pager {
  Run bring(std::uint64_t offset) override {
    offset = offset / page * page;
    brought.insert(offset);
    return {.start = offset, .end = offset + page, .readable = !refused.contains(offset)};
  }
  std::set<std::uint64_t> brought;
  std::set<std::uint64_t> refused;
};

class ReplayDemand : public ::testing::TestWithParam<bool> {
protected:
  std::unique_ptr<Replayer> start_engine() {
    if (GetParam()) {
      return start_tracer(image.memory(), options());
    }
    return start(image, options());
  }

  /// Where the image's file has an address of its data.
  static std::uint64_t offset_of(Address address) {
    return (address - data_base + area) / page * page;
  }

  Image image;
  CountingPager pager;
};

TEST_P(ReplayDemand, ComputesTheSameFromTouchedPages) {
  const Address child = image.add_object_with(ret_zero);
  image.reserve(5 * page); // nobody touches that
  const Address parent = image.add_object_with(visiting({child, child}));
  image.page_with(pager);
  auto replayer = start_engine();
  ASSERT_NE(replayer, nullptr);
  const std::vector<Address> objects{child, parent};
  const std::vector<std::uint64_t> refcounts{5, 1};
  for (int pass = 0; pass < 2; ++pass) {
    const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
    ASSERT_TRUE(result) << result.error().reason;
    EXPECT_EQ(result->gc_refs, (std::vector<std::int64_t>{3, 1}));
    EXPECT_EQ(result->traversed, 2U);
    EXPECT_TRUE(result->incidents.empty());
  }
  EXPECT_TRUE(pager.brought.contains(offset_of(child)));
  EXPECT_TRUE(pager.brought.contains(offset_of(parent)));
  EXPECT_FALSE(pager.brought.contains(offset_of(child) + 2 * page));
}

TEST_P(ReplayDemand, MemoryThatCannotBeHadEndsTheTraversal) {
  const Address child = image.add_object_with(ret_zero);
  const Address far = image.reserve(3 * page) + page;
  // mov far,%rax; mov (%rax),%rax; ret
  const Code touch = load_rax(far) + Code{0x48, 0x8b, 0x00} + ret_zero;
  const Address bad = image.add_object_with(touch);
  const Address good = image.add_object_with(visiting({child}));
  pager.refused = {offset_of(far)};
  image.page_with(pager);
  auto replayer = start_engine();
  ASSERT_NE(replayer, nullptr);
  const std::vector<Address> objects{child, bad, good};
  const std::vector<std::uint64_t> refcounts{5, 1, 1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result) << result.error().reason;
  EXPECT_EQ(result->gc_refs[0], 4);
  ASSERT_EQ(result->incidents.size(), 1U);
  EXPECT_EQ(result->incidents[0].outcome, Outcome::fault);
  EXPECT_EQ(result->incidents[0].container, 1U);
  EXPECT_EQ(result->incidents[0].address, far);
}

TEST_P(ReplayDemand, AWriteToCodeIsOneAlsoThere) {
  const Address child = image.add_object_with(ret_zero);
  const Address function = image.add_code(ret_zero);
  // mov function,%rax; mov %rax,(%rax)
  const Address bad = image.add_object_with(load_rax(function) + Code{0x48, 0x89, 0x00} + ret_zero);
  const Address good = image.add_object_with(visiting({child}));
  image.page_with(pager);
  auto replayer = start_engine();
  ASSERT_NE(replayer, nullptr);
  const std::vector<Address> objects{child, bad, good};
  const std::vector<std::uint64_t> refcounts{5, 1, 1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result) << result.error().reason;
  EXPECT_EQ(result->gc_refs[0], 4);
  ASSERT_EQ(result->incidents.size(), 1U);
  EXPECT_EQ(result->incidents[0].outcome, Outcome::write);
  EXPECT_EQ(result->incidents[0].address, function);
}

INSTANTIATE_TEST_SUITE_P(Engines, ReplayDemand, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "emulated" : "native"; });

} // namespace
} // namespace pygc::replay::testing
