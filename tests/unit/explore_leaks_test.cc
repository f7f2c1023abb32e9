// Leaked references of a heap made by hand: what memory accounts for, and what it does not.
#include "common/analysis/explore/leaks.h"
#include "support/heap_builder.h"
#include "support/table_replayer.h"

#include <gmock/gmock.h>

namespace pygc::analysis {
namespace {

using ::testing::IsEmpty;
using tests::HeapBuilder;
using tests::TableReplayer;

class ExploreLeaks : public ::testing::Test {
protected:
  /// The region of missing memory of the builder makes every answer incomplete, unless it is no
  /// memory that can be written.
  Leaks find(tests::Visits visits, std::string type = {}) {
    heap_.finish();
    TableReplayer replayer(heap_.objects(), std::move(visits));
    const auto leaks = find_leaks(
        heap_.image(), heap_.reader(), heap_.heap(), replayer,
        {.type = std::move(type), .threads = heap_.threads(), .cancelled = [] { return false; }});
    EXPECT_TRUE(leaks);
    return *leaks;
  }

  HeapBuilder heap_{tests::MissingMemory::read_only};
};

TEST_F(ExploreLeaks, AreReferencesThatNoWordOfMemoryHolds) {
  const std::uint32_t lost = heap_.add_object(1);
  const std::uint32_t held = heap_.add_object(1);
  heap_.store(heap_.reserve(16), heap_.object(held));
  const Leaks leaks = find({{}, {}});
  ASSERT_EQ(leaks.groups.size(), 1U);
  EXPECT_EQ(leaks.groups[0].kind, LeakKind::refleak);
  EXPECT_TRUE(leaks.groups[0].proven);
  EXPECT_EQ(leaks.groups[0].objects, 1U);
  EXPECT_EQ(leaks.groups[0].references, 1U);
  EXPECT_EQ(leaks.groups[0].words, 0U);
  EXPECT_EQ(leaks.groups[0].examples.at(0).object, heap_.object(lost));
  EXPECT_EQ(leaks.pinned, 2U);
  EXPECT_TRUE(leaks.proven());
}

TEST_F(ExploreLeaks, AreNoneWhereWordsSuffice) {
  const std::uint32_t object = heap_.add_object(2);
  const Address words = heap_.reserve(16);
  heap_.store(words, heap_.object(object));
  heap_.store(words + 8, heap_.object(object) | 1); // a tagged stack reference
  const Leaks leaks = find({{}});
  EXPECT_THAT(leaks.groups, IsEmpty());
  EXPECT_FALSE(leaks.proven());
}

TEST_F(ExploreLeaks, CountRegisters) {
  heap_.add_object(1);
  heap_.threads()[0].registers[3] = heap_.object(0);
  EXPECT_THAT(find({{}}).groups, IsEmpty());
}

TEST_F(ExploreLeaks, AreFoldedByTypeAndCounts) {
  const Address other = heap_.add_type("Other", heap_.add_function("other"));
  for (int i = 0; i < 7; ++i) {
    heap_.add_object(2);
  }
  heap_.add_object(1, other);
  const Leaks leaks = find({});
  ASSERT_EQ(leaks.groups.size(), 2U);
  EXPECT_EQ(leaks.groups[0].type, "C");
  EXPECT_EQ(leaks.groups[0].objects, 7U);
  EXPECT_EQ(leaks.groups[0].references, 14U);
  EXPECT_EQ(leaks.groups[0].examples.size(), 5U);
  EXPECT_EQ(leaks.groups[1].type, "Other");
}

TEST_F(ExploreLeaks, AreAskedForByType) {
  const Address other = heap_.add_type("Other", heap_.add_function("other"));
  heap_.add_object(1);
  heap_.add_object(1, other);
  const Leaks leaks = find({}, "Other");
  ASSERT_EQ(leaks.groups.size(), 1U);
  EXPECT_EQ(leaks.groups[0].type, "Other");
}

TEST_F(ExploreLeaks, AreNotToldWhenMemoryIsMissing) {
  HeapBuilder heap;
  heap.add_object(1);
  heap.finish();
  TableReplayer replayer(heap.objects(), {});
  const auto leaks = find_leaks(heap.image(), heap.reader(), heap.heap(), replayer,
                                {.threads = heap.threads(), .cancelled = [] { return false; }});
  ASSERT_TRUE(leaks);
  EXPECT_THAT(leaks->groups, IsEmpty());
  EXPECT_EQ(leaks->incomplete_because.size(), 1U);
}

/// A container that an object of a type without traverse function holds, and which visits it.
class ExploreHolders : public ExploreLeaks {
protected:
  Address add_holder(std::uint64_t refcount, Address object) {
    const Address type = heap_.add_type("Lazy", 0);
    heap_.store(type + heap_.runtime().layout.tp_flags, 0); // no GC
    const Address holder = heap_.reserve(48);
    heap_.store(holder, refcount);
    heap_.store(holder + heap_.runtime().layout.ob_type, type);
    heap_.store(holder + 16, object);
    return holder;
  }

  /// The container visits the holder; `visits` are further ones.
  Leaks find_with(Address holder, std::uint32_t container, tests::Visits visits = {}) {
    return find_with({{container, holder}}, std::move(visits));
  }

  Leaks find_with(const std::vector<std::pair<std::uint32_t, Address>>& holders,
                  tests::Visits visits) {
    for (const Address object : heap_.objects()) {
      heap_.store(object - 16, object - 16); // _gc_next, of its own list: it is tracked
    }
    heap_.finish();
    TableReplayer replayer(heap_.objects(), std::move(visits));
    for (const auto& [container, holder] : holders) {
      replayer.visit_further(container, holder);
    }
    const auto leaks = find_leaks(heap_.image(), heap_.reader(), heap_.heap(), replayer,
                                  {.threads = heap_.threads(), .cancelled = [] { return false; }});
    EXPECT_TRUE(leaks);
    return *leaks;
  }
};

TEST_F(ExploreHolders, KeepGarbageAlive) {
  const std::uint32_t object = heap_.add_object(1);
  const Address holder = add_holder(1, heap_.object(object));
  const Leaks leaks = find_with(holder, object);
  ASSERT_EQ(leaks.groups.size(), 1U);
  EXPECT_EQ(leaks.groups[0].kind, LeakKind::nogc_holder);
  EXPECT_TRUE(leaks.groups[0].proven);
  EXPECT_EQ(leaks.groups[0].holder_type, "Lazy");
  EXPECT_EQ(leaks.groups[0].holder_offset, 16U);
  EXPECT_EQ(leaks.groups[0].examples.at(0).holder, holder);
}

TEST_F(ExploreHolders, AreNoLeakWhenSomethingElseHoldsThem) {
  const std::uint32_t object = heap_.add_object(1);
  const Address holder = add_holder(2, heap_.object(object)); // one visit, one other reference
  EXPECT_THAT(find_with(holder, object).groups, IsEmpty());
}

TEST_F(ExploreHolders, AreNoLeakWhenALiveContainerHoldsThem) {
  const std::uint32_t object = heap_.add_object(1);
  const std::uint32_t live = heap_.add_object(1);
  heap_.store(heap_.reserve(16), heap_.object(live));
  const Address holder = add_holder(1, heap_.object(object));
  EXPECT_THAT(find_with(holder, live).groups, IsEmpty());
}

/// As a function in a cycle holds its code, and that its names.
TEST_F(ExploreHolders, AreNoLeakWhenGarbageHoldsThem) {
  const std::uint32_t object = heap_.add_object(1);
  const std::uint32_t garbage = heap_.add_object(1);
  const Address holder = add_holder(1, heap_.object(object));
  EXPECT_THAT(find_with(holder, garbage, {{}, {garbage}}).groups, IsEmpty());
}

TEST_F(ExploreHolders, AreNoLeakWhenALaterCollectionFreesThem) {
  const std::uint32_t object = heap_.add_object(1);
  const std::uint32_t names = heap_.add_object(1);
  const std::uint32_t garbage = heap_.add_object(1);
  const Address first = add_holder(1, heap_.object(object));
  const Address second = add_holder(1, heap_.object(names));
  EXPECT_THAT(find_with({{garbage, first}, {object, second}}, {{}, {}, {garbage}}).groups,
              IsEmpty());
}

TEST_F(ExploreHolders, KeepGarbageAliveBesideOtherGarbage) {
  const std::uint32_t object = heap_.add_object(1);
  const std::uint32_t garbage = heap_.add_object(1);
  const Address holder = add_holder(2, heap_.object(object)); // visited by both
  const Leaks leaks = find_with({{garbage, holder}, {object, holder}}, {{}, {garbage}});
  ASSERT_EQ(leaks.groups.size(), 1U);
  EXPECT_EQ(leaks.groups[0].kind, LeakKind::nogc_holder);
}

TEST_F(ExploreHolders, AreLikelyWhereStaleWordsAre) {
  const std::uint32_t object = heap_.add_object(1);
  const Address holder = add_holder(1, heap_.object(object));
  heap_.store(heap_.reserve(16) + 8, heap_.object(object));
  const Leaks leaks = find_with(holder, object);
  ASSERT_EQ(leaks.groups.size(), 1U);
  EXPECT_FALSE(leaks.groups[0].proven);
  EXPECT_FALSE(leaks.proven());
}

} // namespace
} // namespace pygc::analysis
