// What `pygc garbage` finds unreachable, against what a collection of the same heap saves with
// gc.DEBUG_SAVEALL: equal sets, every build, every generation.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/front_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <string>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct GarbageCase {
  const InterpreterBuild* build = nullptr;
  int generation = 2;
};

std::string case_name(const GarbageCase& it) {
  return it.build->name + "_generation" + std::to_string(it.generation);
}

void PrintTo(const GarbageCase& it, std::ostream* out) {
  *out << case_name(it);
}

std::vector<GarbageCase> all_cases() {
  std::vector<GarbageCase> cases;
  for (const InterpreterBuild& build : interpreters()) {
    for (const int generation : {2, 0}) {
      cases.push_back({&build, generation});
    }
  }
  return cases;
}

class GarbageTest : public testing::TestWithParam<GarbageCase> {};

TEST_P(GarbageTest, IsWhatTheInterpreterSaves) {
  const GarbageCase& it = GetParam();
  const std::string generation = std::to_string(it.generation);
  const Core core =
      make_core({.build = it.build, .script = "explore.py", .words = {"generation=" + generation}});
  const AddressSet saved = printed_set(core, "garbage");
  ASSERT_GT(saved.size(), 150U);
  const json found = unreachable_of(core, {"--generation", generation});
  EXPECT_EQ(addresses_of(found.at("objects")), saved);
  EXPECT_EQ(found.at("unreachable"), saved.size());
  EXPECT_EQ(found.at("uncollectable"), 0);
  // with_weakrefs() keeps three weak references, and has three die with their object.
  EXPECT_EQ(found.at("weakref_callbacks"), 3);
  EXPECT_THAT(found.at("finalizers"),
              testing::Contains(json({{"type", "Finalized"}, {"objects", 7}})));
  EXPECT_EQ(found.at("enabled"), false);
}

INSTANTIATE_TEST_SUITE_P(Builds, GarbageTest, testing::ValuesIn(all_cases()),
                         [](const auto& param) { return case_name(param.param); });

TEST(GarbageText, SaysWhatThereIs) {
  const Core core = make_core({.build = &release_build(), .script = "explore.py"});
  const Outcome outcome = run_pygc({"garbage", core.path});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("(exact)"));
  EXPECT_THAT(outcome.out, HasSubstr("Session"));
  EXPECT_THAT(outcome.out, HasSubstr("finalizers     7 Finalized"));
  EXPECT_THAT(outcome.out, HasSubstr("callbacks      3 of weak references"));
}

TEST(GarbageText, NamesTheTpClearAndTheFieldOfWhatStays) {
  const Core core = make_core({.build = &debug_build(),
                               .script = "forgetful.py",
                               .words = {build_extensions(debug_build(), {"forgetful"})}});
  const Outcome outcome = run_pygc({"garbage", core.path});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const std::string text = std::regex_replace(outcome.out, std::regex("\\s+"), " "); // unwrapped
  EXPECT_THAT(text, HasSubstr("stays 160 objects after each collection (proven)"));
  EXPECT_THAT(text, HasSubstr("in 80 cycles that tp_clear leaves"));
  EXPECT_THAT(text, HasSubstr("tp_clear of forgetful.Forgetful (forgetful_clear) leaves +0x18 of "
                              "the container: 80 objects"));
}

} // namespace
} // namespace pygc::e2e
