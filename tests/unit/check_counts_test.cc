// The detectors of what only builds without a GIL have, on facts made by hand.
#include "tests/unit/support/detectors_fixture.h"

namespace pygc::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(Detectors, TraverseWriteOfALockIsWorseThanOfACountThatIsGivenBack) {
  UndoneWrite write{.function = traverse_,
                    .object = object(2),
                    .locks = true,
                    .container = object(1),
                    .pc = pc,
                    .address = cache_slot,
                    .count = 5};
  trace().writes.undone = {write};
  const Finding lock = one(detect_traverse_write);
  EXPECT_EQ(lock.kind, FindingKind::traverse_write);
  EXPECT_EQ(lock.severity, Severity::error);
  EXPECT_EQ(lock.occurrences, 5U);
  EXPECT_THAT(lock.message, HasSubstr("bad_traverse locks <C object>"));
  write.locks = false;
  trace().writes.undone = {write};
  const Finding counted = one(detect_traverse_write);
  EXPECT_EQ(counted.severity, Severity::warning);
  EXPECT_THAT(counted.message, HasSubstr("takes a reference to <C object>"));
}

TEST_F(Detectors, CountCorrupt) {
  add_anomaly(heap::CorruptionKind::count, false);
  const Finding finding = one(detect_count_corrupt);
  EXPECT_EQ(finding.kind, FindingKind::count_corrupt);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_TRUE(finding.proven);
  EXPECT_EQ(finding.address, object(0));
  EXPECT_THAT(all(detect_object_corrupt), IsEmpty());
  EXPECT_THAT(all(detect_unmerged_count), IsEmpty());
}

TEST_F(Detectors, UnmergedCountUnlessAThreadIsAtIt) {
  add_anomaly(heap::CorruptionKind::unmerged, false);
  const Finding finding = one(detect_unmerged_count);
  EXPECT_EQ(finding.kind, FindingKind::unmerged_count);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_THAT(all(detect_count_corrupt), IsEmpty());
  facts_.anomalies.back().corruption.in_motion = true;
  EXPECT_THAT(all(detect_unmerged_count), IsEmpty());
}

} // namespace
} // namespace pygc::analysis
