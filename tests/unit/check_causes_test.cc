// Findings of one cause are one, and say what comes of it.
#include "common/analysis/check/advice.h"
#include "common/analysis/check/causes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Finding finding(FindingKind kind, Address object, std::int64_t gc_refs) {
  Finding finding;
  finding.kind = kind;
  finding.object = ObjectView{.address = object, .type = {}, .summary = {}};
  finding.gc_refs = gc_refs;
  finding.visits = 3;
  return finding;
}

Finding cause(Address object, std::int64_t gc_refs, std::uint64_t too_many) {
  Finding cause = finding(FindingKind::duplicate_visit, object, gc_refs);
  cause.function = "base_traverse";
  cause.field = "its type";
  cause.victims = {{.object = *cause.object,
                    .gc_refs = gc_refs,
                    .visits = 3,
                    .too_many = too_many,
                    .visitors = {}}};
  cause.visitors.emplace_back().container = object + 8;
  return cause;
}

TEST(Causes, OfOneFunctionAndFieldAreOne) {
  Finding other = cause(0x3000, -1, 1);
  other.field = ".next";
  Finding elsewhere = cause(0x4000, -1, 1);
  elsewhere.interpreter = 1;
  const auto folded = fold_causes(
      {cause(0x1000, -1, 1), other, cause(0x1000, -1, 1), cause(0x2000, -3, 2), elsewhere});
  ASSERT_THAT(folded, SizeIs(3));
  EXPECT_EQ(folded[0].occurrences, 3U);
  EXPECT_THAT(folded[0].visitors, SizeIs(3));
  ASSERT_THAT(folded[0].victims, SizeIs(2));
  EXPECT_EQ(folded[0].victims[0].too_many, 2U);  // of both findings about it
  EXPECT_EQ(folded[0].object->address, 0x2000U); // the worst
  EXPECT_EQ(folded[0].gc_refs, -3);
}

TEST(Causes, OfWhichOneIsAnErrorAreOne) {
  Finding warning = cause(0x1000, 1, 1);
  warning.severity = Severity::warning;
  warning.effect = "Nothing yet.";
  Finding error = cause(0x2000, -1, 1);
  error.effect = "It aborts.";
  for (const bool reversed : {false, true}) {
    const auto folded =
        fold_causes(reversed ? std::vector{error, warning} : std::vector{warning, error});
    ASSERT_THAT(folded, SizeIs(1));
    EXPECT_EQ(folded[0].severity, Severity::error);
    EXPECT_EQ(folded[0].effect, "It aborts.");
    EXPECT_EQ(folded[0].object->address, 0x2000U);
  }
}

TEST(Causes, TakeTheArithmeticOfTheirVictims) {
  Finding negative = finding(FindingKind::negative_gc_refs, 0x1000, -2);
  negative.visitors.resize(3);
  for (const std::uint64_t too_many : {1U, 2U, 3U}) {
    const auto told = absorb_negatives({negative, cause(0x1000, -2, too_many)});
    EXPECT_THAT(told, SizeIs(too_many == 1 ? 2 : 1)) << too_many;
    EXPECT_THAT(told.back().victims[0].visitors, SizeIs(too_many == 1 ? 0 : 3));
  }
  // Several causes may make it up between them.
  Finding other = cause(0x1000, -2, 1);
  other.field = ".next";
  EXPECT_THAT(absorb_negatives({cause(0x1000, -2, 1), negative, other}), SizeIs(2));
  // Another object's, or another interpreter's, is not explained.
  EXPECT_THAT(absorb_negatives({negative, cause(0x2000, -2, 2)}), SizeIs(2));
  Finding elsewhere = cause(0x1000, -2, 2);
  elsewhere.interpreter = 1;
  EXPECT_THAT(absorb_negatives({negative, elsewhere}), SizeIs(2));
}

TEST(Causes, TellTheWorstVictims) {
  Finding many = cause(0x1000, -1, 1);
  for (Address i = 1; i <= 29; ++i) {
    Victim victim = many.victims.front();
    victim.object.address = 0x1000 + i * 16;
    victim.gc_refs = -static_cast<std::int64_t>(i);
    many.victims.push_back(victim);
  }
  const auto told = absorb_negatives({many});
  EXPECT_THAT(told[0].victims, SizeIs(20));
  EXPECT_EQ(told[0].victims[0].gc_refs, -29);
  EXPECT_EQ(told[0].further_victims, 10U);
}

Finding negative(Address object, const std::string& field) {
  Finding negative = finding(FindingKind::negative_gc_refs, object, -1);
  Visitor& visitor = negative.visitors.emplace_back();
  visitor.function = "node_traverse";
  visitor.slot_name = field;
  return negative;
}

TEST(Causes, ObjectsThatAreVisitedAlikeAreOneFinding) {
  Finding elsewhere = negative(0x4000, ".parent");
  elsewhere.interpreter = 1;
  Finding of_type = negative(0x5000, ".parent");
  of_type.object->type = "other";
  const auto told =
      fold_alike({negative(0x1000, ".parent"), negative(0x2000, ".parent"),
                  negative(0x3000, ".other"), elsewhere, of_type, negative(0x6000, ".parent"),
                  finding(FindingKind::negative_gc_refs, 0x7000, -1)});
  ASSERT_THAT(told, SizeIs(5));
  EXPECT_EQ(told[0].occurrences, 3U);
  ASSERT_THAT(told[0].victims, SizeIs(3));
  EXPECT_EQ(told[0].victims[0].object.address, 0x1000U);
  EXPECT_EQ(told[0].victims[2].object.address, 0x6000U);
  EXPECT_THAT(told[0].victims[2].visitors, SizeIs(1));
  EXPECT_THAT(told[1].victims, IsEmpty());
}

TEST(Causes, OfManyAlikeTheFirstOnesAreListed) {
  std::vector<Finding> many;
  for (Address i = 1; i <= 30; ++i) {
    many.push_back(negative(0x1000 * i, "items[" + std::to_string(i) + "]"));
  }
  const auto told = fold_alike(many);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].occurrences, 30U);
  EXPECT_THAT(told[0].victims, SizeIs(20));
  EXPECT_EQ(told[0].further_victims, 10U);
}

TEST(Advice, SaysWhatTheBuildMakesOfACount) {
  EXPECT_THAT(effect_of(-1, true, true), HasSubstr("this debug build aborts"));
  EXPECT_THAT(effect_of(-1, true, false), HasSubstr("This release build keeps the object"));
  EXPECT_THAT(effect_of(0, false, false), HasSubstr("takes the object for garbage"));
  EXPECT_THAT(effect_of(0, true, false), IsEmpty());
  EXPECT_THAT(effect_of(1, true, true), IsEmpty());
}

Visitor visitor(const std::string& function, const std::string& library) {
  Visitor visitor;
  visitor.function = function;
  visitor.library = library;
  visitor.visits = 1;
  return visitor;
}

TEST(Advice, SuspectsTheOneExtensionAmongTheVisitors) {
  Visitor derived = visitor("subtype_traverse", "");
  derived.base_function = "image_traverse";
  derived.base_library = "/lib/zbar.so";
  const auto suspect = suspect_of(std::vector{visitor("dict_traverse", ""), derived,
                                              visitor("image_traverse", "/lib/zbar.so"),
                                              visitor("symbol_traverse", "/lib/zbar.so")});
  ASSERT_TRUE(suspect);
  EXPECT_EQ(suspect->function, "image_traverse");
  EXPECT_EQ(suspect->library, "/lib/zbar.so");
  EXPECT_EQ(suspect->visitors, 3U);
}

TEST(Advice, SuspectsNobodyWithoutOneExtension) {
  EXPECT_FALSE(suspect_of(std::vector{visitor("dict_traverse", "")}));
  EXPECT_FALSE(suspect_of(std::vector{visitor("a", "/lib/a.so"), visitor("b", "/lib/b.so")}));
}

Finding faulthandler(Owner owner) {
  Finding finding = cause(0x1000, -1, 2);
  finding.kind = FindingKind::unowned_visit;
  finding.function = "faulthandler_traverse";
  finding.visitors[0].name = "faulthandler";
  finding.visitors[0].owner = owner;
  return finding;
}

TEST(Advice, KnowsFaulthandlerByItsFacts) {
  const auto known = known_issue(faulthandler(Owner::runtime));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->id, "gh-149590");
  EXPECT_TRUE(known_issue(faulthandler(Owner::static_storage)));
  EXPECT_FALSE(known_issue(faulthandler(Owner::module_state)));
  Finding other = faulthandler(Owner::runtime);
  other.visitors[0].name = "mine";
  EXPECT_FALSE(known_issue(other));
  other = faulthandler(Owner::runtime);
  other.function = "mine_traverse";
  EXPECT_FALSE(known_issue(other));
}

TEST(Advice, NamesACommandForEveryKind) {
  for (int kind = 0; kind <= static_cast<int>(FindingKind::build_id_mismatch); ++kind) {
    Finding any = finding(static_cast<FindingKind>(kind), 0x1230, 0);
    any.visitors.emplace_back().container = 0x4560;
    advise(any, false);
    ASSERT_THAT(any.next, ::testing::Not(IsEmpty())) << kind;
    EXPECT_TRUE(any.next[0].starts_with("pygc ")) << any.next[0];
  }
}

TEST(Advice, AsksForWhatACoreLacks) {
  Finding missing = finding(FindingKind::memory_missing, 0x1000, 0);
  advise(missing, false);
  EXPECT_THAT(missing.fix, HasSubstr("coredump_filter 0x33"));
  EXPECT_THAT(missing.next, ElementsAre("pygc doctor"));
  Finding cut = finding(FindingKind::memory_missing, 0x1000, 0);
  advise(cut, true);
  EXPECT_THAT(cut.fix, HasSubstr("ulimit -c unlimited"));
}

TEST(Advice, TellsWhatMendsACause) {
  for (const FindingKind kind :
       {FindingKind::dangling_reference, FindingKind::undercounted_local,
        FindingKind::unfinished_tuple, FindingKind::list_corrupt, FindingKind::lost_object,
        FindingKind::traverse_fault, FindingKind::traverse_write, FindingKind::unowned_visit,
        FindingKind::duplicate_visit}) {
    Finding any = finding(kind, 0x1230, 0);
    advise(any, false);
    EXPECT_THAT(any.fix, ::testing::Not(IsEmpty())) << finding_kind_name(kind);
  }
  Finding dying = finding(FindingKind::object_corrupt, 0x1230, 0);
  dying.function = "job_dealloc";
  advise(dying, false);
  EXPECT_EQ(dying.fix, "call PyObject_GC_UnTrack first in job_dealloc");
  Finding early = finding(FindingKind::dangling_reference, 0x1230, 0);
  early.fix = "what the detector knows better";
  advise(early, false);
  EXPECT_EQ(early.fix, "what the detector knows better");
}

} // namespace
} // namespace pygc::analysis
