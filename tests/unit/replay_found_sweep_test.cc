// A sweep of pages that the caller has found, with counts as builds without a GIL have them.
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
constexpr std::uint32_t tid_at = 24;
constexpr std::uint64_t owner = 0x7000;
constexpr std::int64_t merged = 3; // flags of ob_ref_shared
constexpr std::int64_t queued = 2;
constexpr std::int64_t weakly_referred = 1;
constexpr std::uint8_t tracked = 1;
constexpr std::uint8_t frozen = 8;
constexpr std::uint8_t deferred = 64;
constexpr std::uint32_t immortal = 0xffff'ffff;

struct Counts {
  std::uint32_t local = 1;
  std::int64_t shared = 0; // without flags
  std::uint8_t bits = tracked;
  std::int64_t flags = weakly_referred;
  std::uint64_t tid = owner;
};

class FoundSweeps : public ::testing::Test {
protected:
  /// An object that nobody has found yet.
  Address make(Address type, Counts counts = {}) {
    const Address object = image_.add_object(type);
    image_.store(object + local_at,
                 counts.local | std::uint64_t{counts.bits} << (8 * (bits_at - local_at)));
    image_.store(object + shared_at, static_cast<std::uint64_t>(counts.shared * 4) |
                                         static_cast<std::uint64_t>(counts.flags));
    image_.store(object + tid_at, counts.tid);
    return object;
  }

  /// A page of one block.
  void find(Address object) {
    found_.pages.push_back({.first = object, .stride = 64, .blocks = 1, .list = 0, .words = {1}});
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
    found_.lists = 3;
    found_.frozen_list = 2;
    found_.ob_tid = tid_at;
    found_.ob_ref_local = local_at;
    found_.ob_ref_shared = shared_at;
    found_.ob_gc_bits = bits_at;
    SweepRequest request;
    request.ob_refcnt = 0;
    request.sample_size = 2;
    auto sweep =
        start_found_sweep(image_.memory(), options(), request, found_, [] { return false; });
    EXPECT_TRUE(sweep) << sweep.error().reason;
    return std::move(*sweep);
  }

  /// Whether the walk comes to its end when such an object is among those in use.
  bool takes(Counts counts) {
    struct Heap : FoundSweeps {
      void TestBody() override {}
    } heap;
    heap.add(heap.leaf_, counts);
    const auto lists = heap.start()->walk();
    EXPECT_TRUE(lists) << lists.error().reason;
    return lists && lists->has_value();
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
  const Address has_merged = add(leaf_, {.local = 0, .shared = 4, .flags = merged, .tid = 0});
  const Address has_deferred =
      add(leaf_, {.local = 1, .shared = 2, .bits = tracked | deferred, .flags = queued});
  const Address lent =
      add(leaf_, {.local = 3, .shared = -1, .bits = tracked | deferred, .flags = queued});
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
  EXPECT_THAT(objects, ElementsAre(a, has_merged, has_deferred, lent, container));
  EXPECT_THAT(refcounts, ElementsAre(3, 4, 2, 1, 1));
  EXPECT_THAT(gc_refs, ElementsAre(1, 4, 2, 0, 1));
}

TEST_F(FoundSweeps, TellTheObjectsOfEachList) {
  add(leaf_);
  add(leaf_, {.bits = tracked | frozen});
  add(leaf_, {.local = immortal});
  add(leaf_, {.bits = 0});
  const Address second = add(leaf_);
  found_.pages.back().list = 1;
  add(leaf_);
  const auto sweep = start();
  const auto lists = sweep->walk();
  ASSERT_TRUE(lists && *lists);
  EXPECT_EQ((*lists)->collected, 3U);
  EXPECT_EQ((*lists)->immortal, 1U);
  EXPECT_THAT((*lists)->counts, ElementsAre(3U, 1U, 1U));
  EXPECT_THAT((*lists)->types, ElementsAre(leaf_));
  ASSERT_EQ((*lists)->samples.size(), 2U);
  EXPECT_EQ((*lists)->samples.back().object, second);
  EXPECT_EQ((*lists)->samples.back().index, 1U);
}

TEST_F(FoundSweeps, TakeTheBlocksInUseOfAPage) {
  constexpr std::uint64_t stride = 64;
  const Address first = make(leaf_);
  std::vector<Address> objects{first};
  while (objects.size() < 70) {
    objects.push_back(make(leaf_));
  }
  ASSERT_EQ(objects.back() - first, 69 * stride);
  found_.pages.push_back({.first = first,
                          .stride = stride,
                          .blocks = 70,
                          .list = 0,
                          .words = {0b101, std::uint64_t{1} << 5U}});
  const auto sweep = start();
  ASSERT_TRUE(totals_of(*sweep));
  const std::vector<Address> some{first, objects[1], objects[2], objects[69]};
  EXPECT_THAT(**sweep->find(some), ElementsAre(true, false, true, true));
}

/// What a thread has just been given, or is about to give back, is no object.
TEST_F(FoundSweeps, LeaveOutWhatTheDebugAllocatorHasFilled) {
  add(leaf_);
  add(0xcdcd'cdcd'cdcd'cdcd);
  const auto sweep = start();
  const auto lists = sweep->walk();
  ASSERT_TRUE(lists && *lists);
  EXPECT_EQ((*lists)->collected, 1U);
}

/// A careful walk tells of the others.
TEST_F(FoundSweeps, TakeCountsThatStandForThemselves) {
  EXPECT_TRUE(takes({.local = 1}));
  EXPECT_TRUE(takes({.local = 0, .shared = 1, .flags = merged, .tid = 0}));
  EXPECT_TRUE(takes({.local = 1, .bits = tracked | deferred, .flags = queued}));
  EXPECT_TRUE(takes({.local = immortal, .tid = 0}));
  EXPECT_FALSE(takes({.local = 0}));                                         // dead
  EXPECT_FALSE(takes({.local = 1, .shared = 1, .flags = merged, .tid = 0})); // an owner's
  EXPECT_FALSE(takes({.local = 0, .shared = 1, .flags = merged}));           // an owner
  EXPECT_FALSE(takes({.local = 2, .shared = -1, .flags = queued}));          // to be merged
  EXPECT_FALSE(takes({.local = 2, .shared = -1}));                           // and not queued
  EXPECT_FALSE(takes({.local = 0, .shared = 1}));                            // in motion
  EXPECT_FALSE(takes({.local = 1, .tid = 0}));                               // no owner
  EXPECT_FALSE(takes({.local = 1, .tid = owner + 1}));                       // no thread
  EXPECT_FALSE(takes({.local = 2, .bits = tracked | deferred}));             // nothing deferred
  EXPECT_FALSE(takes({.local = 1, .shared = -4, .bits = tracked | deferred, .flags = queued}));
}

TEST_F(FoundSweeps, TakeNoPageThatReachesBeyondTheTarget) {
  add(leaf_);
  found_.pages.back().stride = std::uint64_t{1} << 62U;
  found_.pages.back().blocks = 9;
  const auto lists = start()->walk();
  ASSERT_TRUE(lists) << lists.error().reason;
  EXPECT_FALSE(*lists);
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
  const Address frozen_one = add(leaf_, {.bits = tracked | frozen});
  visitor_of({untracked, immortal_one, frozen_one});
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
