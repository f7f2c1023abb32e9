// Which stop `pygc step` makes next on its way to a container, on collections made by hand.
#include "common/analysis/step/subtract_route.h"

#include <gtest/gtest.h>
#include <vector>

namespace pygc::analysis {
namespace {

constexpr Address list_traverse = 0x1000;
constexpr Address rare_traverse = 0x2000;

/// Follows the planned stops as the process would, until the container is reached.
struct Way {
  std::uint32_t end = 0;
  std::uint64_t hops = 0;
  std::uint64_t passed = 0; // stops of the debugger
  bool by_call = false;     // at the last
};

Way follow(const std::vector<Address>& functions, std::uint32_t to, bool before = false) {
  RouteRequest request{.functions = functions, .to = to, .before = before};
  Way way;
  while (way.hops < functions.size() + 1) {
    const Hop hop = next_hop(request);
    ++way.hops;
    way.passed += hop.passes + 1;
    way.by_call = hop.function == 0;
    // What the process passes: the entries of the function, or the calls of the loop.
    std::uint64_t left = hop.passes;
    std::uint32_t at = way.by_call ? request.next_call : request.next_entry;
    while (at < functions.size() &&
           ((!way.by_call && functions[at] != hop.function) || left-- > 0)) {
      ++at;
    }
    EXPECT_EQ(at, hop.container) << "hop " << way.hops;
    way.end = at;
    if (hop.last) {
      break;
    }
    request.next_call = at + 1;
    request.next_entry = way.by_call ? at : at + 1;
  }
  return way;
}

TEST(SubtractRoute, ARareFunctionIsReachedAtItsFirstEntry) {
  std::vector<Address> functions(100'000, list_traverse);
  functions[70'000] = rare_traverse;
  const Way way = follow(functions, 70'000);
  EXPECT_EQ(way.end, 70'000U);
  EXPECT_EQ(way.hops, 1U);
  EXPECT_EQ(way.passed, 1U);
}

TEST(SubtractRoute, ACommonFunctionIsReachedByWayOfARareOneBefore) {
  std::vector<Address> functions(100'000, list_traverse);
  functions[69'990] = rare_traverse;
  const Way way = follow(functions, 70'000);
  EXPECT_EQ(way.end, 70'000U);
  EXPECT_EQ(way.hops, 2U);
  EXPECT_EQ(way.passed, 1U + 10U);
}

TEST(SubtractRoute, AFewContainersNeedNoDetour) {
  std::vector<Address> functions(100, list_traverse);
  functions[80] = rare_traverse;
  const Way way = follow(functions, 90);
  EXPECT_EQ(way.end, 90U);
  EXPECT_EQ(way.hops, 1U);
}

TEST(SubtractRoute, ALongWayIsCutToTellHowFarItIs) {
  const std::vector<Address> functions(20'000, list_traverse);
  const Way way = follow(functions, 19'999);
  EXPECT_EQ(way.end, 19'999U);
  EXPECT_EQ(way.hops, 4U);
  EXPECT_EQ(way.passed, 20'000U);
}

TEST(SubtractRoute, BeforeTheCallIsReachedByTheLoopsCall) {
  std::vector<Address> functions(1'000, list_traverse);
  functions[10] = rare_traverse;
  const Way way = follow(functions, 10, true);
  EXPECT_EQ(way.end, 10U);
  EXPECT_TRUE(way.by_call);
}

TEST(SubtractRoute, AnUnknownFunctionIsReachedByTheLoopsCall) {
  std::vector<Address> functions(1'000, list_traverse);
  functions[500] = 0;
  const Way way = follow(functions, 500);
  EXPECT_EQ(way.end, 500U);
  EXPECT_TRUE(way.by_call);
}

TEST(SubtractRoute, TheNextContainerIsTheNextStop) {
  const std::vector<Address> functions(50, list_traverse);
  const Hop hop = next_hop({.functions = functions, .next_call = 7, .next_entry = 7, .to = 7});
  EXPECT_EQ(hop.passes, 0U);
  EXPECT_EQ(hop.container, 7U);
  EXPECT_TRUE(hop.last);
}

} // namespace
} // namespace pygc::analysis
