// What a running collection has stored against what memory gives.
#include "tests/unit/support/detectors_fixture.h"

namespace pygc::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Mismatches : public Detectors {
protected:
  Mismatches() {
    facts_.running.emplace();
    RunningFacts& running = *facts_.running;
    running.interpreter = 7;
    running.unwound = true;
    running.phase = cpython::Phase::subtract_refs;
    running.set = collection().set;
    running.container = heap::SetIndex(0);
    running.gc_refs = {.stored = {3, 1, 1},
                       .collecting = {true, true, true},
                       .before = {3, 1, 1},
                       .after = {3, 0, 1}};
  }
  RunningFacts& running() { return *facts_.running; }
};

TEST_F(Mismatches, AreNoneWhileATraversalMakesItsVisits) {
  EXPECT_THAT(all(detect_gc_refs_mismatch), IsEmpty());
  running().gc_refs->stored[1] = 0;
  EXPECT_THAT(all(detect_gc_refs_mismatch), IsEmpty());
}

TEST_F(Mismatches, AreStoredValuesThatMemoryDoesNotExplain) {
  running().gc_refs->stored[2] = 0;
  const Finding finding = one(detect_gc_refs_mismatch);
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.object->address, object(2));
  EXPECT_EQ(finding.stored, 0);
  EXPECT_EQ(finding.gc_refs, 1);
  running().gc_refs->collecting[2] = false;
  EXPECT_THAT(all(detect_gc_refs_mismatch), IsEmpty());
}

TEST_F(Mismatches, ExplainAVictimByTheInstancesOfOneDefinition) {
  running().victim = heap::SetIndex(2);
  running().gc_refs->stored[2] = 0;
  running().container_definition = 0x9000;
  running().traversed_modules = {{0x9000, {object(0), object(1)}}};
  const std::vector<Finding> findings = all(detect_gc_refs_mismatch);
  ASSERT_THAT(findings, SizeIs(2)); // the difference and what explains it: the diagnosis merges
  const Finding& victim = findings[1];
  EXPECT_EQ(victim.severity, Severity::error);
  EXPECT_EQ(victim.unexplained_visits, 2U);
  EXPECT_THAT(victim.visitors, SizeIs(2));
  EXPECT_THAT(victim.message, HasSubstr("2 module instances of one definition"));
}

TEST_F(Mismatches, LeaveAVictimWithoutInstancesUnexplained) {
  running().victim = heap::SetIndex(1);
  running().gc_refs->stored[1] = 0;
  const Finding victim = one(detect_gc_refs_mismatch);
  EXPECT_EQ(victim.unexplained_visits, 1U);
  EXPECT_THAT(victim.visitors, IsEmpty());
  EXPECT_THAT(victim.message, HasSubstr("or it never was owned"));
}

} // namespace
} // namespace pygc::analysis
