// gc_refs as pygc computes it from a core, against what the interpreter computed in the collection
// that followed: every object, every build.
#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/oracle.h"

#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

struct OracleCase {
  const InterpreterBuild* build = nullptr;
  bool twice = false;
  int generation = 2;
};

std::string case_name(const OracleCase& it) {
  return it.build->name + (it.twice ? "_twice" : "_once") + "_generation" +
         std::to_string(it.generation);
}

void PrintTo(const OracleCase& it, std::ostream* out) {
  *out << case_name(it);
}

std::vector<OracleCase> all_cases() {
  std::vector<OracleCase> cases;
  for (const InterpreterBuild& build : interpreters()) {
    for (const bool twice : {false, true}) {
      for (const int generation : {2, 1, 0}) {
        cases.push_back({&build, twice, generation});
      }
    }
  }
  return cases;
}

class OracleTest : public testing::TestWithParam<OracleCase> {};

TEST_P(OracleTest, EveryObjectHasTheInterpretersOwnGcRefs) {
  const OracleCase& it = GetParam();
  const Oracle oracle = consult_oracle(*it.build, it.twice, it.generation);
  ASSERT_GT(oracle.references.size(), 2000U);

  const std::string output = oracle.core.directory->file("gc-refs");
  std::vector<std::string> words = {"gc-refs", oracle.core.path, "--output", output};
  std::vector<std::vector<std::string>> commands(1, words);
  commands.front().insert(commands.front().end(), {"--generation", std::to_string(it.generation)});
  if (it.generation == 2) { // the replayer walks the lists itself then, where nothing is wrong
    commands.push_back(words);
  }
  for (const auto& each : commands) {
    const Outcome outcome = run_pygc(each);
    ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    const Comparison result = compare(oracle.references, read_references(output));
    std::printf("oracle %s: %zu objects compared, %zu differences\n", case_name(it).c_str(),
                result.objects, result.differences);
    EXPECT_EQ(result.differences, 0U) << result.first_ones;
  }

  const auto negative = std::ranges::count_if(
      oracle.references, [](const auto& entry) { return entry.second.gc_refs < 0; });
  EXPECT_EQ(negative, it.twice && it.generation == 2 ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(Builds, OracleTest, testing::ValuesIn(all_cases()),
                         [](const auto& param) { return case_name(param.param); });

} // namespace
} // namespace pygc::e2e
