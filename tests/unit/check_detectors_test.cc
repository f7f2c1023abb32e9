// Each detector alone, on facts made by hand about a heap made by hand.
#include "common/analysis/check/crash.h"
#include "common/analysis/check/diagnosis.h"
#include "tests/unit/support/detectors_fixture.h"

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(Detectors, FindNothingInSoundFacts) {
  for (const Detector detector :
       {detect_list_corrupt, detect_object_corrupt, detect_memory_missing, detect_build_id_mismatch,
        detect_traverse_fault, detect_traverse_syscall, detect_traverse_timeout,
        detect_traverse_assertion, detect_traverse_write, detect_negative_gc_refs,
        detect_unowned_visit, detect_duplicate_visit, detect_gc_refs_mismatch, detect_crash,
        detect_dangling_reference, detect_lost_object, detect_count_corrupt,
        detect_unmerged_count}) {
    const Detection detection = detector(facts_, *explainer_);
    EXPECT_THAT(detection.findings, IsEmpty());
    EXPECT_THAT(detection.notes, IsEmpty());
  }
}

TEST_F(Detectors, ListCorrupt) {
  add_anomaly(heap::CorruptionKind::space, false);
  const Finding finding = one(detect_list_corrupt);
  EXPECT_EQ(finding.kind, FindingKind::list_corrupt);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.interpreter, 7);
  EXPECT_EQ(finding.address, object(0));
  EXPECT_THAT(finding.message, HasSubstr("Generation young: the list is broken."));
  EXPECT_THAT(all(detect_object_corrupt), IsEmpty());
  EXPECT_THAT(all(detect_memory_missing), IsEmpty());
}

TEST_F(Detectors, ObjectCorrupt) {
  add_anomaly(heap::CorruptionKind::object, false);
  EXPECT_EQ(one(detect_object_corrupt).kind, FindingKind::object_corrupt);
  EXPECT_THAT(all(detect_list_corrupt), IsEmpty());
}

TEST_F(Detectors, ObjectsOfOneDamagedTypeAreOneFinding) {
  for (const Address type : {0x5000U, 0x5000U, 0x6000U, 0x5000U}) {
    add_anomaly(heap::CorruptionKind::object, false);
    facts_.anomalies.back().corruption.type = type;
  }
  const auto findings = all(detect_object_corrupt);
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].occurrences, 3U);
  EXPECT_EQ(findings[0].address, 0x5000U);
  EXPECT_THAT(findings[0].message, HasSubstr("The type object at 0x5000 is what all 3"));
  EXPECT_EQ(findings[1].address, object(0));

  // Who holds the type is told with them.
  std::vector<Finding> told = findings;
  told.emplace_back().kind = FindingKind::dangling_reference;
  told.back().interpreter = findings[0].interpreter;
  told.back().address = 0x5000;
  told.back().visitors.emplace_back().container = object(1);
  const auto merged = diagnose(facts_, std::move(told));
  ASSERT_THAT(merged, SizeIs(2));
  ASSERT_THAT(merged[0].visitors, SizeIs(1));
  EXPECT_EQ(merged[0].visitors[0].container, object(1));
}

TEST_F(Detectors, MemoryMissingOfAList) {
  add_anomaly(heap::CorruptionKind::space, true);
  const Finding finding = one(detect_memory_missing);
  EXPECT_EQ(finding.kind, FindingKind::memory_missing);
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_THAT(all(detect_list_corrupt), IsEmpty());
}

TEST_F(Detectors, MemoryMissingOfATraversal) {
  add_incident(replay::Outcome::fault);
  collection().incidents.groups.front().missing_memory = "the core lacks it";
  const Finding finding = one(detect_memory_missing);
  EXPECT_EQ(finding.function, "bad_traverse");
  EXPECT_THAT(finding.message, HasSubstr("0x10, which is not to be had: the core lacks it"));
  EXPECT_THAT(all(detect_traverse_fault), IsEmpty());
}

TEST_F(Detectors, MemoryMissingOfManyObjectsIsOneFinding) {
  for (int i = 0; i < 100; ++i) {
    add_anomaly(heap::CorruptionKind::object, true);
  }
  EXPECT_EQ(one(detect_memory_missing).occurrences, 100U);
  EXPECT_THAT(all(detect_object_corrupt), IsEmpty());
}

TEST_F(Detectors, DanglingReferenceNamesItsHolder) {
  facts_.dangling = {{.interpreter = 7,
                      .object = 0xdead0,
                      .state = "its reference count is 0",
                      .by = {{object(0), 2, {object(0) + 24}}, {object(1), 1, {}}}}};
  const Finding finding = one(detect_dangling_reference);
  EXPECT_EQ(finding.kind, FindingKind::dangling_reference);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.address, 0xdead0U);
  EXPECT_EQ(finding.visits, 3U);
  ASSERT_THAT(finding.visitors, SizeIs(2));
  EXPECT_EQ(finding.visitors[0].slot, SlotAddress{object(0) + 24});
  EXPECT_FALSE(finding.visitors[1].slot.has_value());
  EXPECT_THAT(finding.message, HasSubstr("no live object: its reference count is 0"));
}

TEST_F(Detectors, DanglingReferenceToNoMemory) {
  facts_.dangling = {{.interpreter = 7,
                      .object = 0x4141'4141'4141'4140,
                      .wild = true,
                      .state = "no memory is there",
                      .by = {{object(0), 1, {object(0) + 24}}}}};
  const Finding finding = one(detect_dangling_reference);
  EXPECT_EQ(finding.address, 0x4141'4141'4141'4140U);
  EXPECT_THAT(finding.fix, HasSubstr("before PyObject_GC_Track"));
  EXPECT_THAT(finding.message, HasSubstr("<C object>, at +0x18 of the container, refers to "
                                         "0x4141414141414140, where the process has no memory. "
                                         "The container was tracked before the field was set"));
}

TEST_F(Detectors, UndercountedLocalNamesTheVariables) {
  cpython::FrameReference reference;
  reference.object = object(1);
  reference.at = {object(0) + 24};
  reference.variable = 3;
  facts_.undercounted = {
      {.interpreter = 7, .object = object(1), .gc_refs = 0, .references = {reference, reference}}};
  const Finding finding = one(detect_undercounted_local);
  EXPECT_EQ(finding.kind, FindingKind::undercounted_local);
  EXPECT_EQ(finding.object->address, object(1));
  EXPECT_EQ(finding.gc_refs, 0);
  EXPECT_EQ(finding.address, object(0) + 24);
  EXPECT_THAT(
      finding.message,
      HasSubstr("The local variables number 3 of a function, number 3 of a function use it, "
                "but of its 1 reference none is left"));
}

TEST_F(Detectors, LocalsAreCountedAgainstWhatNoContainerVisits) {
  const FrameReferences references = {{object(0), {{}}}, {object(1), {{}}}, {object(2), {{}, {}}}};
  // The object 1 is not collected.
  const auto found = find_undercounted(references, 7, {{object(0), 1}, {object(2), 1}});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].object, object(2));
  EXPECT_THAT(find_undercounted(references, 7, {{object(0), -1}, {object(1), -1}, {object(2), -1}}),
              IsEmpty());
}

TEST_F(Detectors, ADeallocationThatRunsIsNamed) {
  add_anomaly(heap::CorruptionKind::object, false);
  facts_.anomalies.back().deallocation =
      Deallocation{.function = "job_dealloc", .library = "/lib/job.so", .line = "job.c:8"};
  const Finding finding = one(detect_object_corrupt);
  EXPECT_EQ(finding.function, "job_dealloc");
  EXPECT_THAT(finding.message, HasSubstr("job_dealloc (job.c:8) of /lib/job.so is on a stack"));
}

TEST_F(Detectors, LostObjectsAreOneFinding) {
  facts_.lost = {{.interpreter = 7, .first = object(0), .container = object(1), .count = 12}};
  const Finding finding = one(detect_lost_object);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.occurrences, 12U);
  facts_.running.emplace(); // its lists may be where they were not found
  EXPECT_EQ(one(detect_lost_object).severity, Severity::warning);
}

TEST_F(Detectors, CrashIsToldWithObjectAndCaller) {
  CrashFacts& crash = facts_.crash.emplace();
  crash.signal = 6;
  crash.unwound = true;
  crash.functions = {"abort", "PyObject_GC_Track", "m_new"};
  EXPECT_THAT(all(detect_crash), IsEmpty()); // nothing that concerns the collector
  crash.stack = {.deed = cpython::Deed::track, .frame = 1, .caller = 2, .object = object(0)};
  crash.caller = "m_new";
  const Finding finding = one(detect_crash);
  EXPECT_EQ(finding.kind, FindingKind::crash);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.object->address, object(0));
  EXPECT_EQ(finding.function, "m_new");
  EXPECT_THAT(finding.message, HasSubstr("SIGABRT ended the process in PyObject_GC_Track"));
  crash.stack.under_python = true;
  EXPECT_EQ(one(detect_crash).severity, Severity::warning);
  EXPECT_EQ(one(detect_crash).function, "m_new");

  // Of what the collector calls the function that it called is to blame.
  crash.stack.deed = cpython::Deed::clear;
  crash.called = "job_clear";
  crash.called_module = "/lib/job.so";
  crash.called_line = "job.c:12";
  crash.stack_overflow = true;
  crash.repeated = 2;
  const Finding clear = one(detect_crash);
  EXPECT_EQ(clear.function, "job_clear");
  EXPECT_EQ(describe_crash(crash, *explainer_).called_line, "job.c:12");
  EXPECT_THAT(clear.message,
              HasSubstr("job_clear (/lib/job.so, job.c:12) under PyObject_GC_Track"));
  EXPECT_THAT(clear.message, HasSubstr("has overflowed: 2 of its 3 innermost frames"));
}

TEST_F(Detectors, BuildIdMismatch) {
  facts_.mismatched_files.push_back({0x1000, "it is another file"});
  const Finding finding = one(detect_build_id_mismatch);
  EXPECT_EQ(finding.kind, FindingKind::build_id_mismatch);
  EXPECT_EQ(finding.address, 0x1000U);
  EXPECT_EQ(finding.message, "it is another file. Nothing of that file was run.");
}

TEST_F(Detectors, TraverseFault) {
  add_incident(replay::Outcome::fault);
  const Finding finding = one(detect_traverse_fault);
  EXPECT_EQ(finding.kind, FindingKind::traverse_fault);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.object->address, object(1));
  EXPECT_EQ(finding.pc, pc);
  EXPECT_EQ(finding.occurrences, 2U);
  EXPECT_THAT(finding.message, HasSubstr("by bad_traverse faults in"));
  EXPECT_THAT(finding.message, HasSubstr("accessing 0x10"));
}

TEST_F(Detectors, TraverseFaultOfATrapForetellsNoCrash) {
  add_incident(replay::Outcome::trap);
  EXPECT_THAT(one(detect_traverse_fault).message, HasSubstr("illegal instruction or trap"));
  EXPECT_THAT(one(detect_traverse_fault).message, Not(HasSubstr("will crash")));
}

TEST_F(Detectors, TraverseSyscall) {
  add_incident(replay::Outcome::syscall);
  const Finding finding = one(detect_traverse_syscall);
  EXPECT_EQ(finding.kind, FindingKind::traverse_syscall);
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_THAT(finding.message, HasSubstr("makes system call 39"));
  EXPECT_THAT(all(detect_traverse_fault), IsEmpty());
}

TEST_F(Detectors, TraverseTimeout) {
  add_incident(replay::Outcome::timeout);
  const Finding finding = one(detect_traverse_timeout);
  EXPECT_EQ(finding.kind, FindingKind::traverse_timeout);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_THAT(finding.message, HasSubstr("does not end"));
  EXPECT_THAT(all(detect_traverse_fault), IsEmpty());
}

TEST_F(Detectors, TraverseAssertion) {
  add_incident(replay::Outcome::assertion);
  collection().incidents.groups.front().fatal_call = {.function = "_PyObject_AssertFailed",
                                                      .object = object(2),
                                                      .expression = "!is_freed(op)",
                                                      .message = "freed",
                                                      .file = "gc.c",
                                                      .line = 12};
  const Finding finding = one(detect_traverse_assertion);
  EXPECT_EQ(finding.kind, FindingKind::traverse_assertion);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(finding.object->address, object(1));
  EXPECT_EQ(finding.address, object(2));
  EXPECT_EQ(finding.occurrences, 2U);
  EXPECT_THAT(finding.message,
              HasSubstr("The traversal by bad_traverse ends in assertion '!is_freed(op)', "
                        "\"freed\" (gc.c:12), in"));
  EXPECT_THAT(finding.message, HasSubstr("It is about <C object> at"));
  EXPECT_THAT(all(detect_traverse_fault), IsEmpty());
  EXPECT_THAT(all(detect_traverse_syscall), IsEmpty());
}

TEST_F(Detectors, TraverseWriteIsWorseOfAReferenceCount) {
  LastingWrite write{.function = traverse_,
                     .container = object(1),
                     .pc = pc,
                     .address = cache_slot,
                     .places = 3,
                     .count = 5};
  trace().writes.writes = {write};
  const Finding plain = one(detect_traverse_write);
  EXPECT_EQ(plain.kind, FindingKind::traverse_write);
  EXPECT_EQ(plain.severity, Severity::warning);
  EXPECT_EQ(plain.occurrences, 5U);
  EXPECT_THAT(plain.message, HasSubstr("and at 2 more places"));
  write.counted = object(2);
  trace().writes.writes = {write};
  const Finding counted = one(detect_traverse_write);
  EXPECT_EQ(counted.severity, Severity::error);
  EXPECT_THAT(counted.message, HasSubstr("changes the reference count of <C object>"));
}

TEST_F(Detectors, NegativeGcRefsNamesVisitorsAndASuspiciousSlot) {
  collection().replayed.gc_refs[1] = -1;
  collection().negatives = {{.object = heap::SetIndex(1), .decrements = {{0, 1, 2}}}};
  trace().survey.requests = {{object(0), 0}};
  trace().survey.visits = {{.request = {},
                            .object = object(1),
                            .slot = {object(0) + 24},
                            .owner = Owner::object,
                            .counted = true},
                           {.request = {},
                            .object = object(1),
                            .slot = {cache_slot},
                            .owner = Owner::static_storage,
                            .counted = true}};
  const Finding finding = one(detect_negative_gc_refs);
  EXPECT_EQ(finding.kind, FindingKind::negative_gc_refs);
  EXPECT_EQ(finding.gc_refs, -1);
  EXPECT_EQ(finding.visits, 2U);
  ASSERT_THAT(finding.visitors, SizeIs(1));
  EXPECT_EQ(finding.visitors[0].container, object(0));
  EXPECT_EQ(finding.visitors[0].visits, 2U);
  EXPECT_EQ(finding.visitors[0].function, "C_traverse");
  EXPECT_EQ(finding.visitors[0].slot, SlotAddress{cache_slot});
  EXPECT_EQ(finding.visitors[0].slot_name, "cache");
  EXPECT_EQ(finding.visitors[0].owner, Owner::static_storage);
  EXPECT_EQ(finding.cause, Cause::unknown); // for the diagnosis

  // A released object is one finding, whatever its count has become.
  facts_.dangling.emplace_back().object = object(1);
  EXPECT_THAT(all(detect_negative_gc_refs), IsEmpty());
}

TEST_F(Detectors, NegativeGcRefsSaysWhatItLeavesOut) {
  collection().further_negatives = 3;
  EXPECT_THAT(detect_negative_gc_refs(facts_, *explainer_).notes,
              ElementsAre("3 further objects with negative gc_refs are not listed"));
}

class UnownedVisits : public Detectors {
protected:
  Finding found(std::int64_t gc_refs, bool reachable, std::size_t visits, bool single = false) {
    collection().replayed.gc_refs[1] = gc_refs;
    ForeignSlot foreign{
        .slot = {cache_slot}, .object = object(1), .owner = Owner::static_storage, .visits = {}};
    for (std::size_t i = 0; i < visits; ++i) {
      foreign.visits.push_back({object(i == 0 ? 0 : 2), single});
    }
    trace().foreign_slots = {foreign};
    trace().referents = {{object(1), {.object = heap::SetIndex(1), .reachable = reachable}}};
    return one(detect_unowned_visit);
  }
};

TEST_F(UnownedVisits, OfANegativeObject) {
  const Finding finding = found(-1, true, 2);
  EXPECT_EQ(finding.kind, FindingKind::unowned_visit);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_THAT(finding.visitors, SizeIs(2));
  EXPECT_EQ(finding.visitors[1].slot_name, "cache");
  EXPECT_THAT(finding.message,
              HasSubstr("visits cache, a static variable, which the 2 containers"));
  EXPECT_EQ(finding.function, "C_traverse");
  EXPECT_EQ(finding.field, "cache");
  EXPECT_THAT(finding.effect, HasSubstr("keeps the object, for -1 counts as reachable"));
}

TEST_F(UnownedVisits, OfAnObjectThatIsTakenForGarbage) {
  const Finding finding = found(0, false, 1);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_THAT(finding.effect, HasSubstr("takes the object for garbage (gc_refs 0)"));
  EXPECT_THAT(finding.effect, HasSubstr("without the visit gc_refs would be 1"));
}

TEST_F(UnownedVisits, OfAnObjectThatIsReachableWarn) {
  EXPECT_EQ(found(1, true, 1).severity, Severity::warning);
}

TEST_F(UnownedVisits, OfTheOnlyModuleWithGlobalsAreANote) {
  EXPECT_EQ(found(1, true, 1, true).severity, Severity::note);
  EXPECT_EQ(found(1, true, 2, true).severity, Severity::warning);
}

TEST_F(UnownedVisits, OfAnObjectThatIsNotCollectedDoNotCount) {
  found(1, true, 1);
  trace().referents.clear();
  EXPECT_THAT(all(detect_unowned_visit), IsEmpty());
}

TEST_F(Detectors, DuplicateVisit) {
  trace().duplicate_slots = {
      {.slot = {object(0) + 24}, .object = object(1), .containers = {{object(0), 2}}}};
  trace().referents = {{object(1), {.object = heap::SetIndex(1), .reachable = true}}};
  Finding finding = one(detect_duplicate_visit);
  EXPECT_EQ(finding.kind, FindingKind::duplicate_visit);
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_THAT(finding.message, HasSubstr("C_traverse visits +0x18 of the container 2 times"));
  EXPECT_THAT(finding.effect, HasSubstr("gc_refs is 0 instead of 1"));
  EXPECT_EQ(finding.visitors[0].owner, Owner::object);
  trace().referents[object(1)].reachable = false;
  EXPECT_EQ(one(detect_duplicate_visit).severity, Severity::error);
  trace().duplicate_slots[0].containers.push_back({object(2), 1});
  EXPECT_THAT(one(detect_duplicate_visit).message,
              HasSubstr("2 containers visit +0x18 of the container, 3 times altogether"));
}

} // namespace
} // namespace pygc::analysis
