// Verdicts of `pygc check` on every build of the matrix: the double import is found where CPython
// has the bug, and nothing is found anywhere else.
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

Core heap_core(const MatrixBuild& build, const std::string& script,
               const std::vector<std::string>& words) {
  return make_core({.build = &build.build, .script = script, .words = words});
}

/// Notes are no verdict: a module that visits static storage of its own library is one.
std::string expect_clean(const MatrixBuild& build, const Core& core) {
  const Check check = check_alone(core, build.build.pygc_options());
  const json& document = check.document;
  EXPECT_EQ(check.status, 0) << document.dump(1);
  EXPECT_EQ(document.at("complete"), true) << document.dump(1);
  for (const json& finding : document.at("findings")) {
    EXPECT_EQ(finding.at("severity"), "note") << finding.dump(1);
  }
  const std::size_t notes = document.at("findings").size();
  EXPECT_EQ(document.at("verdict"), "clean");
  EXPECT_EQ(document.at("python").at("version"), build.version);
  EXPECT_EQ(document.at("python").at("debug"), build.build.debug);
  EXPECT_EQ(document.at("objects").at("unreadable"), 0);
  EXPECT_EQ(document.at("objects").at("not_traversed"), 0);
  return (notes == 0 ? "clean" : std::to_string(notes) + " notes") + ", " +
         document.at("objects").at("walked").dump() + " objects, layout " +
         document.at("python").at("layout").get<std::string>();
}

class MatrixCheck : public MatrixTest {};

TEST_P(MatrixCheck, PlainHeapIsClean) {
  examine_build(GetParam(), "plain heap", [](const MatrixBuild& build) {
    return expect_clean(build, heap_core(build, "heap.py", {}));
  });
}

TEST_P(MatrixCheck, DoubleImportIsFoundWhereItIsABug) {
  examine_build(GetParam(), "double import", [](const MatrixBuild& build) {
    const Core core = heap_core(build, "heap.py", {"twice"});
    if (!build.has_faulthandler_bug()) {
      return "fixed there: " + expect_clean(build, core);
    }
    const Check check = check_alone(core, build.build.pygc_options());
    EXPECT_EQ(check.status, 1);
    EXPECT_EQ(check.document.at("verdict"), "findings");
    EXPECT_EQ(check.document.at("complete"), true);
    const auto findings = findings_of(check.document, "unowned_visit");
    EXPECT_EQ(findings.size(), 1U) << check.document.dump(1);
    std::string said;
    std::size_t modules = 0;
    for (const json& finding : findings) {
      EXPECT_EQ(finding.at("gc_refs"), -1);
      EXPECT_EQ(to_address(finding.at("object").at("address").get<std::string>()),
                to_address(core.printed_value("stderr")));
      for (const json& visitor : finding.at("visitors")) {
        modules += visitor.at("name") == "faulthandler" ? 1U : 0U;
      }
      EXPECT_EQ(finding.at("known").at("id"), "gh-149590");
      said += "unowned_visit of " + finding.at("object").at("summary").get<std::string>();
    }
    EXPECT_EQ(modules, 2U);
    return said;
  });
}

/// Every kind of container, real packages where there are any, subinterpreters with and without a
/// GIL of their own, frozen and immortal objects; a generator and coroutines running.
TEST_P(MatrixCheck, RichHeapIsClean) {
  examine_build(GetParam(), "rich heap", [](const MatrixBuild& build) {
    const Core core = heap_core(build, "matrix_heap.py", {"packages", "interpreters", "freeze"});
    const std::string packages = core.printed_value("packages");
    return expect_clean(build, core) + ", packages: " + (packages.empty() ? "none" : packages) +
           ", subinterpreters: " + core.printed_value("interpreters");
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixCheck, testing::ValuesIn(matrix()), name_of_build);

} // namespace
} // namespace pygc::e2e
