// Situations that people reported: what they needed to know is told.
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tuple>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Reported : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  static json check(const std::string& name, int status = 1) {
    const std::string extensions = build_extensions(
        *GetParam(), {"overdecref_item", "track_twice", "double_track", "freed_tracked",
                      "type_freed", "undercount_local", "untrack_dealloc", "fatal_slots"});
    const Core core = make_core({.build = GetParam(),
                                 .script = "reported.py",
                                 .words = {extensions, name},
                                 .kind = CoreKind::kernel});
    const Check check = check_alone(core);
    EXPECT_EQ(check.status, status) << check.document.dump(1);
    EXPECT_NE(check.document.at("verdict"), "clean");
    return check.document;
  }
};

TEST_P(Reported, AReferenceThatWasReleasedWithoutBeingOwned) {
  const json document = check("overdecref");
  const auto findings = findings_of(document, "dangling_reference");
  ASSERT_EQ(findings.size(), 1U) << document.at("findings").dump(1);
  EXPECT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
  const json& finding = findings.front();
  EXPECT_EQ(finding.at("severity"), "error");
  const json& visitor = finding.at("visitors").at(0);
  EXPECT_EQ(visitor.at("type"), "dict");
  EXPECT_EQ(visitor.at("slot_name"), "['opts']");
}

TEST_P(Reported, AReleasedReferenceBesideAContainerOfMillions) {
  const json document = check("overdecref_large");
  EXPECT_EQ(findings_of(document, "dangling_reference").size(), 1U) << document.dump(1);
}

TEST_P(Reported, AnObjectThatWasTrackedTwice) {
  const json document = check("track_twice");
  const json& crash = document.at("crash");
  EXPECT_EQ(crash.at("signal"), "SIGABRT");
  EXPECT_EQ(crash.at("doing"), "tracking an object");
  EXPECT_THAT(crash.at("object_state"), HasSubstr("tracked already"));
  EXPECT_EQ(crash.at("object").at("type"), "track_twice.Market");
  EXPECT_EQ(crash.at("caller"), "m_new");
  EXPECT_THAT(crash.at("caller_module"), HasSubstr("track_twice"));
  const auto findings = findings_of(document, "crash");
  ASSERT_EQ(findings.size(), 1U) << document.at("findings").dump(1);
  EXPECT_EQ(findings.front().at("severity"), "error");
}

TEST_P(Reported, ACrashInASlotOfATypeWhateverTheFunctionIsCalled) {
  for (const auto& [name, doing, function] :
       {std::tuple("fatal_dealloc", "deallocating an object", "give_back"),
        std::tuple("fatal_clear", "clearing garbage", "let_go")}) {
    const json document = check(name);
    const json& crash = document.at("crash");
    EXPECT_EQ(crash.at("doing"), doing);
    EXPECT_EQ(crash.at("object").at("type"), "fatal_slots.Box");
    const auto findings = findings_of(document, "crash");
    ASSERT_EQ(findings.size(), 1U) << document.at("findings").dump(1);
    EXPECT_EQ(findings.front().at("function"), function);
    EXPECT_THAT(findings.front().at("message"), HasSubstr("fatal_slots.so"));
  }
}

TEST_P(Reported, ATupleThatAContainerHoldsUnfinished) {
  const json document = check("tuple_held", 0);
  ASSERT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
  EXPECT_EQ(document.at("findings").at(0).at("kind"), "unfinished_tuple");
}

TEST_P(Reported, AnAttributeThatADeadObjectIs) {
  const json document = check("attribute_released");
  ASSERT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
  const json& visitor = document.at("findings").at(0).at("visitors").at(0);
  EXPECT_EQ(visitor.at("type"), "Conf");
  EXPECT_EQ(visitor.at("slot_name"), ".child");
}

TEST_P(Reported, AnObjectThatWasFreedWhileItWasTracked) {
  for (const char* name : {"freed_tracked", "freed_tracked_reuse"}) {
    const json document = check(name);
    ASSERT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
    const json& finding = document.at("findings").at(0);
    EXPECT_EQ(finding.at("kind"), "list_corrupt");
    EXPECT_THAT(finding.at("message"), HasSubstr("it was freed while it was tracked"));
    // What follows on the list was reached from its other end.
    EXPECT_GT(document.at("objects").at("traversed"), 4000);
    EXPECT_EQ(document.at("complete"), false);
  }
}

TEST_P(Reported, ATypeThatWasFreedBeforeItsInstances) {
  const json document = check("type_freed");
  ASSERT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
  const json& finding = document.at("findings").at(0);
  if (GetParam() == &debug_build()) { // which ends the process before the type is gone
    EXPECT_EQ(finding.at("kind"), "dangling_reference");
    EXPECT_EQ(document.at("crash").at("signal"), "SIGABRT");
    EXPECT_GE(finding.at("visitors").size(), 20U);
    return;
  }
  EXPECT_EQ(finding.at("kind"), "object_corrupt");
  EXPECT_EQ(finding.at("occurrences"), 20);
}

TEST_P(Reported, AnObjectThatARunningFunctionUsesUncounted) {
  const json document = check("undercount_local");
  ASSERT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
  const json& finding = document.at("findings").at(0);
  EXPECT_EQ(finding.at("kind"), "undercounted_local");
  EXPECT_EQ(finding.at("severity"), "error");
  EXPECT_EQ(finding.at("object").at("type"), "Conf");
  EXPECT_THAT(finding.at("message"), HasSubstr("'session' of work() ("));
  EXPECT_THAT(finding.at("message"), testing::ContainsRegex(R"(reported\.py:[0-9]+\))"));
}

TEST_P(Reported, CountedReferencesOfRunningFunctionsAreNoFinding) {
  const Core core = make_core(
      {.build = GetParam(),
       .script = "reported.py",
       .words = {build_extensions(*GetParam(), {"undercount_local"}), "undercount_local_not"},
       .kind = CoreKind::kernel});
  EXPECT_EQ(check_alone(core).status, 0);
}

/// With debug information, without which neither variables nor members are known.
class ReportedByCode : public Reported {
protected:
  static Check check(const std::string& name, const std::string& extension = "undercount_code") {
    const TempDir directory;
    compile_extension(*GetParam(), std::string(PYGC_E2E_DIR) + "/extensions/" + extension + ".c",
                      directory.path().string(), extension, {"-g"});
    return check_alone(make_core({.build = GetParam(),
                                  .script = "reported.py",
                                  .words = {directory.path().string(), name},
                                  .kind = CoreKind::kernel}));
  }
};

TEST_P(ReportedByCode, GarbageInUseIsAWarning) {
  const Check found = check("undercount_code");
  EXPECT_EQ(found.status, 0);
  EXPECT_EQ(found.document.at("verdict"), "warnings");
  ASSERT_EQ(found.document.at("findings").size(), 1U) << found.document.at("findings").dump(1);
  const json& finding = found.document.at("findings").at(0);
  EXPECT_EQ(finding.at("kind"), "undercounted_local");
  EXPECT_EQ(finding.at("severity"), "warning");
  EXPECT_EQ(finding.at("basis"), "likely");
  EXPECT_EQ(finding.at("object").at("type"), "Conf");
  EXPECT_EQ(finding.at("function"), "hold");
  EXPECT_THAT(finding.at("message"), HasSubstr("'session' of hold() ("));
  EXPECT_THAT(finding.at("message"), HasSubstr("undercount_code.c:5, thread "));
}

TEST_P(ReportedByCode, ABorrowedReferenceBesideGarbageIsNoFinding) {
  const Check found = check("undercount_code_not");
  EXPECT_EQ(found.document.at("verdict"), "clean") << found.document.dump(1);
}

TEST_P(ReportedByCode, SlotsAreMembersOfTheirStruct) {
  const Check found = check("early_track", "early_track");
  const auto findings = findings_of(found.document, "dangling_reference");
  ASSERT_EQ(findings.size(), 1U) << found.document.dump(1);
  EXPECT_EQ(findings.front().at("visitors").at(0).at("slot_name"), ".handler of Parser");
  EXPECT_THAT(findings.front().at("fix"), HasSubstr("before PyObject_GC_Track"));
}

INSTANTIATE_TEST_SUITE_P(Builds, ReportedByCode, testing::Values(&release_build(), &debug_build()),
                         [](const auto& of) { return of.param->name; });

TEST_P(Reported, ATupleThatWasHandedOutUnfinished) {
  const json document = check("half_tuple", 0);
  const auto findings = findings_of(document, "unfinished_tuple");
  ASSERT_EQ(findings.size(), 1U) << document.at("findings").dump(1);
  EXPECT_EQ(document.at("findings").size(), 1U) << document.at("findings").dump(1);
  EXPECT_EQ(findings.front().at("severity"), "warning");
  EXPECT_THAT(findings.front().at("message"), HasSubstr("Item 1 of 10 is NULL"));
}

TEST_P(Reported, ATupleThatIsBeingMadeIsNoFinding) {
  const Core core = make_core({.build = GetParam(),
                               .script = "reported.py",
                               .words = {build_extensions(*GetParam(), {}), "half_tuple_not"},
                               .kind = CoreKind::kernel});
  EXPECT_EQ(check_alone(core).document.at("verdict"), "clean");
}

TEST_P(Reported, AnObjectThatItsDeallocHasNotUntracked) {
  const json document = check("untrack_dealloc");
  const auto findings = findings_of(document, "object_corrupt");
  ASSERT_EQ(findings.size(), 1U) << document.at("findings").dump(1);
  EXPECT_THAT(findings.front().at("message"), HasSubstr("tracked with a reference count of 0"));
  EXPECT_EQ(findings.front().at("function"), "job_dealloc");
  EXPECT_THAT(findings.front().at("message"), HasSubstr("has not untracked it"));
}

TEST_P(Reported, PythonCodeUnderAFinalizerIsAWarning) {
  const json document = check("finalizer", 0);
  const auto findings = findings_of(document, "crash");
  ASSERT_EQ(findings.size(), 1U) << document.at("findings").dump(1);
  EXPECT_EQ(findings.front().at("severity"), "warning");
}

INSTANTIATE_TEST_SUITE_P(Builds, Reported, testing::Values(&release_build(), &debug_build()),
                         [](const auto& of) { return of.param->name; });

} // namespace
} // namespace pygc::e2e
