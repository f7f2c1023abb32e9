// The native and the emulated engine on the heaps of every build of the matrix: the same gc_refs
// for each object.
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

std::string expect_agreement(const MatrixBuild& build, const std::string& script,
                             const std::vector<std::string>& words) {
  const Core core = make_core({.build = &build.build, .script = script, .words = words});
  std::vector<std::string> options = build.build.pygc_options();
  options.insert(options.end(), {"--engine", "both", "--no-trace"});
  const Check check = check_alone(core, options);
  const json& document = check.document;
  const json& engines = document.at("engines");
  EXPECT_EQ(document.at("engine"), "both");
  EXPECT_EQ(engines.at("differences"), 0) << document.dump(1);
  EXPECT_EQ(engines.at("not_compared"), 0) << document.dump(1);
  EXPECT_EQ(engines.at("compared"), document.at("objects").at("traversed"));
  return engines.at("compared").dump() + " objects compared, " + engines.at("differences").dump() +
         " differences, " + engines.at("not_compared").dump() + " not compared";
}

class MatrixEngine : public MatrixTest {};

TEST_P(MatrixEngine, BothAgreeOnEveryObject) {
  examine_build(GetParam(), "both engines, plain heap", [](const MatrixBuild& build) {
    return expect_agreement(build, "heap.py", {"twice"});
  });
  examine_build(GetParam(), "both engines, rich heap", [](const MatrixBuild& build) {
    return expect_agreement(build, "matrix_heap.py", {"packages", "interpreters", "freeze"});
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixEngine, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
