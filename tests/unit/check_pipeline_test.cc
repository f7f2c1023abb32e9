// A whole check, from a heap made by hand and a table of visits: facts, detectors, diagnosis.
#include "common/analysis/check/check.h"
#include "common/analysis/check/diagnosis.h"
#include "common/analysis/facts/gather.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/knowing_image.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::HeapBuilder;
using tests::TableReplayer;

constexpr Address cache = tests::static_base + 0x40;

/// Four objects: 0 and 1 are containers that something outside refers to.
class Checks : public ::testing::Test {
protected:
  CheckReport checked(std::vector<std::uint64_t> refcounts, tests::Visits visits,
                      const std::function<void(TableReplayer&)>& arrange = {}) {
    for (const std::uint64_t refcount : refcounts) {
      heap_.add_object(refcount);
    }
    heap_.finish();
    replayer_.emplace(heap_.objects(), std::move(visits));
    if (arrange) {
      arrange(*replayer_);
    }
    auto report = check(heap_.input(*replayer_));
    EXPECT_TRUE(report) << report.error().reason;
    return report ? *report : CheckReport{};
  }
  static std::vector<FindingKind> kinds(const CheckReport& report) {
    std::vector<FindingKind> kinds;
    for (const Finding& finding : report.findings) {
      kinds.push_back(finding.kind);
    }
    return kinds;
  }

  HeapBuilder heap_;
  std::optional<TableReplayer> replayer_;
};

/// Damaged objects, each of so many types in turn.
void damage(heap::Heap& heap, std::uint64_t objects, std::uint64_t types) {
  for (std::uint64_t i = 0; i < objects; ++i) {
    heap.corruptions.push_back({.kind = heap::CorruptionKind::object,
                                .object = 0x9000 + 16 * i,
                                .type = 0x5000 + 16 * (i % types),
                                .message = "the object is damaged"});
  }
}

TEST_F(Checks, TellAllObjectsOfOneDamagedType) {
  damage(heap_.heap(), 100, 1);
  const CheckReport report = checked({1, 1}, {{}, {}});
  ASSERT_THAT(report.findings, SizeIs(1));
  EXPECT_EQ(report.findings[0].occurrences, 100U);
  EXPECT_THAT(report.notes, IsEmpty()); // none is left out
}

TEST_F(Checks, CountTheDamageThatIsNotTold) {
  damage(heap_.heap(), 180, 60);
  const CheckReport report = checked({1, 1}, {{}, {}});
  EXPECT_THAT(report.findings, SizeIs(50));
  EXPECT_THAT(report.notes, ElementsAre("30 further corruptions are not listed"));
}

TEST_F(Checks, FindNothingInASoundHeap) {
  const CheckReport report = checked({1, 1, 2}, {{2}, {2}, {}});
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.objects.walked, 3U);
  EXPECT_EQ(report.objects.traversed, 3U);
  EXPECT_EQ(report.objects.visits, 2U);
  EXPECT_EQ(report.objects.traced, 3U);
}

TEST_F(Checks, FindAReferenceToADeadObject) {
  const CheckReport report = checked({1, 0}, {{1}, {}});
  EXPECT_THAT(kinds(report), ::testing::Contains(FindingKind::dangling_reference));
}

TEST_F(Checks, FindObjectsThatAreOnNoList) {
  for (const std::uint64_t refcount : {1U, 1U}) {
    heap_.add_object(refcount);
  }
  heap_.store(heap_.object(1) - 16, 0x1000); // _gc_next: it says it is tracked
  heap_.finish();
  const std::vector<Address> objects = heap_.objects();
  heap_.heap().objects.pop_back();
  heap_.heap().spaces[0].count = 1;
  replayer_.emplace(objects, tests::Visits{{1}});
  const auto report = check(heap_.input(*replayer_));
  ASSERT_TRUE(report);
  EXPECT_THAT(kinds(*report), ElementsAre(FindingKind::lost_object));
  EXPECT_FALSE(report->complete);
}

TEST_F(Checks, TellGarbageThatACFunctionUses) {
  tests::KnowingImage image(heap_.image());
  const auto check_while_held = [&](std::uint32_t index) {
    image.frames = {
        {.function = "hold",
         .variables = {{"session", heap_.object(index)}, {"length", 7}, {"text", 0x7777}}}};
    const CheckInput plain = heap_.input(*replayer_);
    return check({.image = image,
                  .reader = plain.reader,
                  .heap = plain.heap,
                  .threads = plain.threads,
                  .replayer = plain.replayer,
                  .tracer = plain.tracer});
  };
  for (const std::uint64_t refcount : {1U, 1U, 1U, 1U, 2U}) {
    const std::uint32_t index = heap_.add_object(refcount);
    heap_.store(heap_.object(index) - 16, 0x1000); // tracked
  }
  heap_.finish();
  // 0 and 1 are a cycle, 2 leads to 3, and something outside has 2 and 4.
  replayer_.emplace(heap_.objects(), tests::Visits{{1}, {0}, {3}, {}, {4}});
  for (const std::uint32_t sound : {2U, 3U, 4U}) {
    EXPECT_THAT(check_while_held(sound)->findings, IsEmpty()) << sound;
  }
  const auto report = check_while_held(0);
  ASSERT_THAT(kinds(*report), ElementsAre(FindingKind::undercounted_local));
  const Finding& finding = report->findings[0];
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.object->address, heap_.object(0));
  EXPECT_EQ(finding.function, "hold");
  EXPECT_THAT(finding.message, HasSubstr("'session' of hold() (thread 0) holds it"));
  heap_.runtime().interpreters[0].collecting = true; // the collector's own variables hold it
  EXPECT_THAT(check_while_held(0)->findings, IsEmpty());
}

TEST_F(Checks, TellAStaticSlotThatMakesAnObjectNegativeAsOneCause) {
  const CheckReport report = checked({1, 1, 1}, {{2}, {2}, {}}, [](TableReplayer& replayer) {
    replayer.set_slot(0, 0, cache);
    replayer.set_slot(1, 0, cache);
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::unowned_visit));
  const Finding& cause = report.findings[0];
  EXPECT_EQ(cause.severity, Severity::error);
  EXPECT_EQ(cause.cause, Cause::over_visited);
  EXPECT_TRUE(cause.proven);
  ASSERT_THAT(cause.visitors, SizeIs(2));
  EXPECT_EQ(cause.visitors[0].slot, SlotAddress{cache});
  EXPECT_EQ(cause.visitors[0].owner, Owner::static_storage);
  ASSERT_THAT(cause.victims, SizeIs(1));
  EXPECT_EQ(cause.victims[0].object.address, heap_.object(2));
  EXPECT_EQ(cause.victims[0].gc_refs, -1);
  EXPECT_EQ(cause.victims[0].too_many, 2U);
  EXPECT_THAT(cause.victims[0].visitors, SizeIs(2));
  EXPECT_THAT(cause.next, ElementsAre(HasSubstr("pygc object 0x"), HasSubstr("pygc refs --to 0x")));
}

TEST_F(Checks, TellASlotThatIsVisitedTwiceAsOneCause) {
  const CheckReport report = checked({1, 1, 1}, {{2, 2}, {}, {}}, [&](TableReplayer& replayer) {
    replayer.set_slot(0, 0, heap_.object(0) + 24);
    replayer.set_slot(0, 1, heap_.object(0) + 24);
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::duplicate_visit));
  EXPECT_EQ(report.findings[0].cause, Cause::over_visited);
  ASSERT_THAT(report.findings[0].victims, SizeIs(1));
  EXPECT_EQ(report.findings[0].victims[0].too_many, 1U);
  ASSERT_THAT(report.findings[0].visitors[0].places, SizeIs(1));
  EXPECT_EQ(report.findings[0].visitors[0].places[0].visits, 2U);
}

TEST_F(Checks, KeepANegativeObjectThatItsCauseLeavesShort) {
  // One visit too many is a static variable's, but two references are lacking.
  const CheckReport report = checked({1, 1, 1}, {{2, 2, 2}, {}, {}}, [&](TableReplayer& replayer) {
    replayer.set_slot(0, 0, cache);
    replayer.set_slot(0, 1, heap_.object(0) + 24);
    replayer.set_slot(0, 2, heap_.object(0) + 32);
  });
  ASSERT_THAT(kinds(report),
              ElementsAre(FindingKind::negative_gc_refs, FindingKind::unowned_visit));
  EXPECT_EQ(report.findings[0].cause, Cause::over_visited);
  EXPECT_THAT(report.findings[0].message, HasSubstr("does not account for all of it"));
}

TEST_F(Checks, TellEachSlotOfAContainerThatVisitsAnObjectTwice) {
  const CheckReport report = checked({1, 1, 1}, {{2, 2}, {}, {}}, [&](TableReplayer& replayer) {
    replayer.set_slot(0, 0, heap_.object(0) + 24);
    replayer.set_slot(0, 1, heap_.object(0) + 32);
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::negative_gc_refs));
  ASSERT_THAT(report.findings[0].visitors, SizeIs(1));
  const auto& places = report.findings[0].visitors[0].places;
  ASSERT_THAT(places, SizeIs(2));
  EXPECT_EQ(places[0].slot, SlotAddress{heap_.object(0) + 24});
  EXPECT_EQ(places[1].slot, SlotAddress{heap_.object(0) + 32});
  EXPECT_EQ(report.findings[0].cause, Cause::under_counted);
}

TEST_F(Checks, SayWhatTheyHaveLookedAt) {
  const Coverage coverage = checked({1, 1}, {{1}, {}}).coverage;
  EXPECT_THAT(coverage.checked, ::testing::IsSupersetOf({"gc_refs", "lists", "slots of visits"}));
  std::vector<std::string> gaps;
  for (const Coverage::Gap& gap : coverage.not_checked) {
    gaps.push_back(gap.what);
    EXPECT_NE(gap.why.empty(), gap.command.empty() && gap.what != "free lists") << gap.what;
  }
  // The heap made by hand has no frames.
  EXPECT_THAT(gaps, ElementsAre("local variables of running functions", "leaks", "garbage",
                                "forgotten fields", "free lists"));
}

TEST_F(Checks, ProveThatAnObjectIsUnderCounted) {
  const CheckReport report = checked({1, 1, 1}, {{2}, {2}, {}}, [&](TableReplayer& replayer) {
    replayer.set_slot(0, 0, heap_.object(0) + 24);
    replayer.set_slot(1, 0, heap_.object(1) + 24);
  });
  EXPECT_THAT(kinds(report), ElementsAre(FindingKind::negative_gc_refs));
  EXPECT_EQ(report.findings[0].cause, Cause::under_counted);
  EXPECT_THAT(report.findings[0].message, HasSubstr("2 slots are more than 1 reference. "));
}

TEST_F(Checks, LeaveTheCauseOpenWhenASlotIsNotKnown) {
  const CheckReport report = checked({1, 1, 1}, {{2}, {2}, {}}, [&](TableReplayer& replayer) {
    replayer.set_slot(0, 0, heap_.object(0) + 24);
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::negative_gc_refs));
  EXPECT_EQ(report.findings[0].cause, Cause::unknown);
}

TEST_F(Checks, AreIncompleteWhenATraversalNeedsMissingMemory) {
  const CheckReport report = checked({1, 1}, {{}, {}}, [](TableReplayer& replayer) {
    for (const std::uint32_t container : {0U, 1U}) {
      replayer.add_incident({.container = container,
                             .outcome = replay::Outcome::fault,
                             .pc = tests::code_base,
                             .address = tests::missing_base + 8});
    }
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::memory_missing));
  EXPECT_EQ(report.findings[0].occurrences, 2U);
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(report.incomplete_because, ElementsAre("2 objects were not traversed to the end"));
}

TEST_F(Checks, KeepWhatTheReplayGaveWhenTracingFails) {
  const CheckReport report = checked({1, 1, 1}, {{2}, {2}, {}}, [](TableReplayer& replayer) {
    replayer.fail_tracing({.kind = ErrorKind::replayer, .reason = "it died"});
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::negative_gc_refs));
  EXPECT_EQ(report.findings[0].cause, Cause::unknown);
  EXPECT_THAT(report.incomplete_because,
              ElementsAre("visits were not traced to their slots and owners: it died"));
}

TEST_F(Checks, EndWhenTheUserInterruptsTracing) {
  heap_.add_object(1);
  heap_.finish();
  replayer_.emplace(heap_.objects(), tests::Visits{});
  replayer_->fail_tracing({.kind = ErrorKind::cancelled, .reason = "interrupted"});
  const auto report = check(heap_.input(*replayer_));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::cancelled);
}

TEST_F(Checks, AskForAllVisitsOnlyAboutSuspiciousSlots) {
  checked({1, 1, 2}, {{2}, {2}, {}});
  EXPECT_EQ(replayer_->graphs(), 0U);
}

TEST_F(Checks, TellAChangedReferenceCountAsSuch) {
  const CheckReport report = checked({1, 1, 1}, {{}, {}, {}}, [&](TableReplayer& replayer) {
    replayer.add_traced_incident({.container = 0,
                                  .outcome = replay::Outcome::write,
                                  .pc = tests::code_base,
                                  .address = heap_.object(2)});
  });
  ASSERT_THAT(kinds(report), ElementsAre(FindingKind::traverse_write));
  EXPECT_EQ(report.findings[0].severity, Severity::error);
}

TEST_F(Checks, ExplainTheVictimOfARunningCollectionOnce) {
  for (const std::uint64_t refcount : {1U, 1U, 2U}) {
    heap_.add_object(refcount);
  }
  heap_.set_stored_gc_refs(0, 1);
  heap_.set_stored_gc_refs(1, 1);
  heap_.set_stored_gc_refs(2, 0); // memory explains one visit: 1
  heap_.runtime().interpreters[0].collecting = true;
  image::Frame assertion{.function = "_PyObject_AssertFailed",
                         .variables = {{"obj", heap_.object(2)}}};
  image::Frame visitor{.function = "visit_decref", .variables = {{"parent", heap_.object(1)}}};
  image::Frame traverse{.function = "C_traverse", .variables = {}};
  image::Frame collector{.function = "subtract_refs", .variables = {}};
  heap_.image().frames = {assertion, visitor, traverse, collector};
  heap_.finish();
  replayer_.emplace(heap_.objects(), tests::Visits{{2}, {}, {}});
  const auto report = check(heap_.input(*replayer_));
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->collection.in_progress);
  EXPECT_EQ(report->collection.phase, cpython::Phase::subtract_refs);
  EXPECT_EQ(report->collection.container_index, 1U);
  EXPECT_EQ(report->collection.victim->address, heap_.object(2));
  ASSERT_THAT(kinds(*report), ElementsAre(FindingKind::gc_refs_mismatch));
  EXPECT_EQ(report->findings[0].unexplained_visits, 2U);
  EXPECT_EQ(report->findings[0].stored, 0);
  EXPECT_EQ(report->findings[0].gc_refs, 1);
}

Finding finding(FindingKind kind, Address object) {
  Finding finding;
  finding.kind = kind;
  finding.object = ObjectView{.address = object, .type = {}, .summary = {}};
  return finding;
}

TEST(Diagnosis, MergesOnlyWhatOneFindingExplains) {
  Finding victim = finding(FindingKind::gc_refs_mismatch, 0x1000);
  victim.unexplained_visits = 1;
  const Finding same = finding(FindingKind::gc_refs_mismatch, 0x1000);
  const Finding other = finding(FindingKind::gc_refs_mismatch, 0x2000);
  Finding elsewhere = same;
  elsewhere.interpreter = 1;
  EXPECT_TRUE(explains(victim, same));
  EXPECT_FALSE(explains(same, victim));
  for (const bool reversed : {false, true}) {
    const auto diagnosed = diagnose({}, reversed ? std::vector{other, same, elsewhere, victim}
                                                 : std::vector{victim, elsewhere, same, other});
    EXPECT_THAT(diagnosed, SizeIs(3));
    EXPECT_TRUE(std::ranges::any_of(
        diagnosed, [](const Finding& each) { return each.unexplained_visits.has_value(); }));
  }
}

TEST(Diagnosis, PutsTheWorstFirst) {
  Finding note = finding(FindingKind::unowned_visit, 0x1000);
  note.severity = Severity::note;
  const auto diagnosed = diagnose({}, {note, finding(FindingKind::list_corrupt, 0x2000)});
  EXPECT_EQ(diagnosed[0].severity, Severity::error);
}

} // namespace
} // namespace pygc::analysis
