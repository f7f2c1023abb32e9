// Objects by type, and what they retain, in a heap made by hand.
#include "common/analysis/explore/type_survey.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::HeapBuilder;
using tests::TableReplayer;

// tp_basicsize and the GC head. No type here has a tp_mro, so that no size is exact.
constexpr std::uint64_t type_size = 48 + 16;

class ExploreTypes : public ::testing::Test {
protected:
  TypeSurvey survey(tests::Visits visits, TypeSurveyQuestion question,
                    std::vector<replay::Incident> incidents = {}) {
    heap_.finish();
    TableReplayer replayer(heap_.objects(), std::move(visits));
    for (const replay::Incident& incident : incidents) {
      replayer.add_incident(incident);
    }
    question.replayer = [&]() -> Result<replay::Replayer*> {
      ++engines_;
      return &replayer;
    };
    auto found = survey_types(heap_.reader(), heap_.heap(), question);
    EXPECT_TRUE(found);
    return *found;
  }

  HeapBuilder heap_;
  Address other_ = heap_.add_type("Other", heap_.add_function("other"));
  int engines_ = 0;
};

TEST_F(ExploreTypes, AreCountedWithoutAnEngine) {
  heap_.add_object(1);
  heap_.add_object(1, other_);
  heap_.add_object(1, other_);
  const TypeSurvey found = survey({}, {});
  EXPECT_EQ(engines_, 0);
  ASSERT_EQ(found.rows.size(), 2U);
  EXPECT_EQ(found.rows[0].name, "Other");
  EXPECT_EQ(found.rows[0].objects, 2U);
  EXPECT_EQ(found.rows[0].size.bytes, 2 * type_size);
  EXPECT_EQ(found.rows[0].size.basis, cpython::SizeBasis::lower_bound);
  EXPECT_EQ(found.rows[1].name, "C");
  EXPECT_EQ(found.objects, 3U);
  EXPECT_THAT(found.incomplete_because, IsEmpty());
}

TEST_F(ExploreTypes, RetainWhatOnlyTheyHold) {
  // 0 (Other) -> 1 (Other) -> 2, 3; 4 -> 3; 0 and 4 are held from outside
  heap_.add_object(1, other_);
  heap_.add_object(1, other_);
  heap_.add_object(1);
  heap_.add_object(2);
  heap_.add_object(1);
  const TypeSurvey found =
      survey({{1}, {2, 3}, {}, {}, {3}}, {.retained = true, .order = TypeOrder::retained});
  ASSERT_EQ(found.rows.size(), 2U);
  EXPECT_EQ(found.rows[0].name, "C"); // 2, 3 and 4
  EXPECT_EQ(found.rows[0].retained, 3 * type_size);
  EXPECT_EQ(found.rows[1].name, "Other"); // 0, 1 and 2; 1 is counted with 0
  EXPECT_EQ(found.rows[1].retained, 3 * type_size);
  EXPECT_EQ(found.rows[1].retained_objects, 3U);
}

TEST_F(ExploreTypes, OfGarbageRetainNothingThatLives) {
  // 0 <-> 1 (Other) are garbage and hold 2 and 3; 3 is held from outside, too
  heap_.add_object(1);
  heap_.add_object(1, other_);
  heap_.add_object(1);
  heap_.add_object(2);
  const TypeSurvey found = survey({{1}, {0, 2, 3}, {}, {}}, {.retained = true, .garbage = true});
  EXPECT_EQ(found.objects, 3U);
  ASSERT_EQ(found.rows.size(), 2U);
  EXPECT_EQ(found.rows[0].name, "C");
  EXPECT_EQ(found.rows[0].objects, 2U);
  EXPECT_EQ(found.rows[1].name, "Other");
  EXPECT_EQ(found.rows[1].retained, 2 * type_size); // 1 and 2
}

TEST_F(ExploreTypes, LeaveOutSmallOnes) {
  heap_.add_object(1);
  heap_.add_object(1, other_);
  heap_.add_object(1, other_);
  const TypeSurvey found = survey({}, {.min = type_size + 1});
  ASSERT_EQ(found.rows.size(), 1U);
  EXPECT_EQ(found.types, 2U);
  EXPECT_EQ(found.size.bytes, 3 * type_size);
}

TEST_F(ExploreTypes, SayWhatIsMissing) {
  heap_.add_object(1);
  const TypeSurvey found =
      survey({{0}}, {.garbage = true}, {{.container = 0, .outcome = replay::Outcome::fault}});
  EXPECT_THAT(found.incomplete_because, ElementsAre("1 traversals that did not come to their end"));
}

} // namespace
} // namespace pygc::analysis
