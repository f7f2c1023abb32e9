// A sweep of objects that the caller has found, with counts as builds without a GIL have them.
#include "common/replay/found_sweep.h"
#include "common/replay/protocol/found_walk.h"
#include "tests/unit/replay_fixture.h"

#include <gmock/gmock.h>

namespace pygc::replay {
namespace {

using namespace testing;
using ::testing::ElementsAre;

constexpr std::uint32_t local_at = 0;
constexpr std::uint32_t bits_at = 4;
constexpr std::uint32_t shared_at = 16;
constexpr std::uint8_t tracked = 1;
constexpr std::uint8_t deferred = 64;
constexpr std::uint32_t immortal = 0xffff'ffff;

struct Counts {
  std::uint32_t local = 1;
  std::int64_t shared = 0; // without flags
  std::uint8_t bits = tracked;
};

class FoundSweeps : public ::testing::Test {
protected:
  /// An object that nobody has found yet.
  Address make(Address type, Counts counts = {}) {
    const Address object = image_.add_object(type);
    image_.store(object + local_at,
                 counts.local | std::uint64_t{counts.bits} << (8 * (bits_at - local_at)));
    image_.store(object + shared_at, static_cast<std::uint64_t>(counts.shared * 4) | 1);
    return object;
  }

  void find(Address object, bool collected = true) {
    found_.runs.push_back({.first = object, .collected = collected, .words = {1}});
    found_.lists.collected += collected ? 1U : 0U;
  }
  Address add(Address type, Counts counts = {}) {
    const Address object = make(type, counts);
    find(object);
    return object;
  }
  Address visitor_of(const std::vector<Address>& targets) {
    return add(image_.add_type(image_.add_code(visiting(targets))));
  }

  std::unique_ptr<Sweep> start() {
    found_.lists.counts = {found_.lists.collected};
    found_.lists.samples = {{.object = 64, .type = 128, .index = 0}};
    found_.ob_ref_local = local_at;
    found_.ob_ref_shared = shared_at;
    found_.ob_gc_bits = bits_at;
    SweepRequest request;
    request.ob_refcnt = 0;
    auto sweep =
        start_found_sweep(image_.memory(), options(), request, found_, [] { return false; });
    EXPECT_TRUE(sweep) << sweep.error().reason;
    return std::move(*sweep);
  }

  std::optional<SweptTotals> totals_of(Sweep& sweep) {
    const auto lists = sweep.walk();
    EXPECT_TRUE(lists && *lists);
    EXPECT_TRUE(sweep.start_traversals());
    const auto totals = sweep.finish_traversals();
    EXPECT_TRUE(totals) << totals.error().reason;
    return totals.value_or(std::nullopt);
  }

  Image image_;
  Address leaf_ = image_.add_type(image_.add_code(ret_zero));
  FoundObjects found_;
};

TEST_F(FoundSweeps, AddBothHalvesOfACount) {
  const Address a = add(leaf_, {.local = 1, .shared = 2});
  const Address merged = add(leaf_, {.local = 0, .shared = 4});
  const Address has_deferred = add(leaf_, {.local = 1, .shared = 2, .bits = tracked | deferred});
  const Address lent = add(leaf_, {.local = 5, .shared = -3});
  const Address container = visitor_of({a, a, lent});
  const auto sweep = start();
  const auto totals = totals_of(*sweep);
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->visits, 3U);
  std::vector<std::int64_t> refcounts;
  std::vector<std::int64_t> gc_refs;
  std::vector<Address> objects;
  ASSERT_TRUE(sweep->list([&](std::span<const SweptCounts> piece) {
    for (const SweptCounts& counts : piece) {
      objects.push_back(counts.object);
      refcounts.push_back(static_cast<std::int64_t>(counts.refcount));
      gc_refs.push_back(counts.gc_refs);
    }
    return Result<void>{};
  }));
  EXPECT_THAT(objects, ElementsAre(a, merged, has_deferred, lent, container));
  EXPECT_THAT(refcounts, ElementsAre(3, 4, 2, 2, 1));
  EXPECT_THAT(gc_refs, ElementsAre(1, 4, 2, 1, 1));
}

TEST_F(FoundSweeps, TellOfTheWalkWhatTheCallerHasFound) {
  add(leaf_);
  const auto sweep = start();
  const auto lists = sweep->walk();
  ASSERT_TRUE(lists && *lists);
  EXPECT_EQ((*lists)->collected, 1U);
  EXPECT_THAT((*lists)->counts, ElementsAre(1U));
  ASSERT_EQ((*lists)->samples.size(), 1U);
  EXPECT_EQ((*lists)->samples.front().type, 128U);
}

TEST_F(FoundSweeps, FollowTheBitsOfARun) {
  const Address first = make(leaf_);
  make(leaf_);
  const Address third = make(leaf_);
  std::vector<std::uint64_t> words((third - first) / protocol::found_granule / 64 + 2);
  for (const Address object : {first, third}) {
    const std::uint64_t bit = (object - first) / protocol::found_granule;
    words[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  found_.runs.push_back({.first = first, .collected = true, .words = std::move(words)});
  found_.lists.collected = 2;
  const auto sweep = start();
  ASSERT_TRUE(totals_of(*sweep));
  EXPECT_THAT(*sweep->gc_refs(std::vector<Address>{first, third}),
              ElementsAre(std::optional<std::int64_t>(1), std::optional<std::int64_t>(1)));
}

TEST_F(FoundSweeps, TakeNoCollectedObjectForAnother) {
  find(add(leaf_));
  const auto sweep = start();
  const auto lists = sweep->walk();
  ASSERT_TRUE(lists) << lists.error().reason;
  EXPECT_FALSE(*lists); // twice
}

/// What a traversal visits that is not collected.
TEST_F(FoundSweeps, VisitsOfWhatIsNotTakenAreLegal) {
  const Address untracked = make(leaf_, {.bits = 0});
  const Address immortal_one = make(leaf_, {.local = immortal});
  const Address frozen = make(leaf_);
  find(frozen, false);
  visitor_of({untracked, immortal_one, frozen});
  EXPECT_TRUE(totals_of(*start()));
}

TEST_F(FoundSweeps, AVisitOfATrackedObjectThatWasNotFoundIsToBeLookedAt) {
  visitor_of({make(leaf_)});
  EXPECT_FALSE(totals_of(*start()));
}

TEST_F(FoundSweeps, AVisitOfADeadObjectIsToBeLookedAt) {
  visitor_of({make(leaf_, {.local = 0, .bits = 0})});
  EXPECT_FALSE(totals_of(*start()));
}

TEST_F(FoundSweeps, OneVisitTooManyIsToBeLookedAt) {
  const Address a = add(leaf_);
  visitor_of({a, a});
  EXPECT_FALSE(totals_of(*start()));
}

} // namespace
} // namespace pygc::replay
