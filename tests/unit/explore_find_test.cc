// The objects that filters let pass, in a heap made by hand.
#include "common/analysis/explore/object_search.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using tests::HeapBuilder;
using tests::TableReplayer;

constexpr std::uint64_t each = 48 + 16; // tp_basicsize and the GC head

class ExploreFind : public ::testing::Test {
protected:
  ExploreFind() { // 0 (C) -> 1, 2; 1 and 2 (app.Other) -> 0; 3 (C) alone
    heap_.add_object(3);
    heap_.add_object(1, other_);
    heap_.add_object(2, other_);
    heap_.add_object(5);
  }

  FoundObjects find(FindQuestion question, std::vector<replay::Incident> incidents = {}) {
    heap_.finish();
    TableReplayer replayer(heap_.objects(), {{1, 2}, {0}, {0}, {}});
    for (const replay::Incident& incident : incidents) {
      replayer.add_incident(incident);
    }
    question.cancelled = [] { return false; };
    question.replayer = [&]() -> Result<replay::Replayer*> {
      ++engines_;
      return &replayer;
    };
    auto found = find_objects(heap_.image(), heap_.reader(), heap_.heap(), question);
    EXPECT_TRUE(found);
    EXPECT_TRUE(found->each([this](const FoundObject& object) -> Result<void> {
      told_.push_back(object);
      addresses_.push_back(object.object.address);
      return {};
    }));
    return std::move(*found);
  }

  HeapBuilder heap_;
  Address other_ = heap_.add_type("app.Other", heap_.add_function("other"));
  int engines_ = 0;
  std::vector<FoundObject> told_;
  std::vector<Address> addresses_;
};

TEST_F(ExploreFind, AreAllWithoutAFilter) {
  const FoundObjects found = find({.limit = 3});
  EXPECT_EQ(found.count(), 4U);
  EXPECT_THAT(addresses_, ElementsAre(heap_.object(0), heap_.object(1), heap_.object(2)));
  EXPECT_EQ(told_[1].object.type, "app.Other");
  EXPECT_EQ(told_[1].object.refcount, 1U);
  EXPECT_EQ(told_[1].size.bytes, each);
  EXPECT_EQ(told_[1].gc_refs, std::nullopt);
  EXPECT_EQ(engines_, 0);
}

TEST_F(ExploreFind, ByTypeAndCount) {
  const FoundObjects found =
      find({.filters = {name_filter(Field::type, "app.*"), name_filter(Field::module, "app"),
                        *parse_range(Field::refcount, "2.."), *parse_range(Field::size, "64")}});
  EXPECT_EQ(found.count(), 1U);
  EXPECT_THAT(addresses_, ElementsAre(heap_.object(2)));
  EXPECT_EQ(engines_, 0);
}

TEST_F(ExploreFind, ByModuleOfBuiltIns) {
  find({.filters = {name_filter(Field::module, "builtins")}});
  EXPECT_THAT(addresses_, ElementsAre(heap_.object(0), heap_.object(3)));
}

TEST_F(ExploreFind, ByWhatACollectionComputes) {
  const FoundObjects found = find({.filters = {*parse_filter("gc_refs > 0 and gc_refs < 5")}});
  EXPECT_EQ(engines_, 1);
  EXPECT_THAT(addresses_, ElementsAre(heap_.object(0), heap_.object(2)));
  EXPECT_THAT(told_[0].gc_refs, Optional(1));
  EXPECT_THAT(told_[1].gc_refs, Optional(1));
  EXPECT_THAT(found.incomplete_because, IsEmpty());
}

TEST_F(ExploreFind, TellGcRefsThatNoFilterAsksFor) {
  find({.filters = {name_filter(Field::type, "C")}, .gc_refs = true});
  EXPECT_THAT(told_[0].gc_refs, Optional(1));
  EXPECT_THAT(told_[1].gc_refs, Optional(5));
}

TEST_F(ExploreFind, LeaveOutWhatCannotBeUsed) {
  heap_.heap().usable[heap::HeapIndex(0)] = false;
  find({.filters = {name_filter(Field::type, "C")}});
  EXPECT_THAT(addresses_, ElementsAre(heap_.object(3)));
}

TEST_F(ExploreFind, SayWhatIsMissing) {
  const FoundObjects found =
      find({.gc_refs = true}, {{.container = 0, .outcome = replay::Outcome::fault}});
  EXPECT_THAT(found.incomplete_because, ElementsAre("1 traversals that did not come to their end"));
}

} // namespace
} // namespace pygc::analysis
