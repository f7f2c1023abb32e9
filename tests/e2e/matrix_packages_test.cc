// The heaps of real packages: large, and full of traverse functions that nobody here wrote. Nothing
// may be said against them that is not true.
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

const std::vector<std::string>& packages() {
  static const std::vector<std::string> names = {
      "numpy", "pandas",     "lxml",         "scipy",  "matplotlib", "sklearn", "torch",
      "PyQt5", "sqlalchemy", "cryptography", "gevent", "django",     "sympy"};
  return names;
}

/// No finding of severity error, nothing left out, and both engines of one mind.
std::string expect_no_error(const MatrixBuild& build, const Core& core,
                            const std::vector<std::string>& words) {
  std::vector<std::string> options = build.build.pygc_options();
  options.insert(options.end(), words.begin(), words.end());
  const Check check = check_alone(core, options);
  const json& document = check.document;
  const json& objects = document.at("objects");
  EXPECT_EQ(check.status, 0) << document.dump(1);
  EXPECT_EQ(document.at("complete"), true) << document.dump(1);
  EXPECT_EQ(objects.at("traversed"), objects.at("walked"));
  for (const json& finding : document.at("findings")) {
    EXPECT_NE(finding.at("severity"), "error") << finding.dump(1);
  }
  std::string said = (words.empty() ? "by default" : join(words)) + ": " +
                     std::to_string(document.at("findings").size()) + " findings below an error";
  if (const json& engines = document.at("engines"); !engines.is_null()) {
    EXPECT_EQ(engines.at("differences"), 0) << document.dump(1);
    EXPECT_EQ(engines.at("not_compared"), 0);
    EXPECT_EQ(engines.at("compared"), objects.at("walked"));
    said += ", " + engines.at("compared").dump() + " objects compared";
  } else {
    said += ", " + objects.at("traced").dump() + " of " + objects.at("walked").dump() + " traced";
  }
  return said;
}

void examine(const MatrixBuild& build, const std::string& name,
             const std::vector<std::string>& names) {
  const std::string heading = build.heading(name);
  const testing::ScopedTrace trace(__FILE__, __LINE__, heading);
  const Core core = make_core({.build = &build.build, .script = "packages.py", .words = names});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"--deep"}, {"--engine", "both"}}) {
    std::printf("%s%s\n", heading.c_str(), expect_no_error(build, core, words).c_str());
  }
}

/// Each in a process of its own, so that a finding has one suspect.
class MatrixPackage : public testing::TestWithParam<std::string> {};

TEST_P(MatrixPackage, HeapHasNoError) {
  examine(package_build(PackageBuild::release), GetParam(), {GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Each, MatrixPackage, testing::ValuesIn(packages()),
                         [](const auto& it) { return it.param; });

class MatrixPackages : public testing::TestWithParam<PackageBuild> {};

TEST_P(MatrixPackages, AllInOneProcessHaveNoError) {
  examine(package_build(GetParam()), "all packages", packages());
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixPackages,
                         testing::Values(PackageBuild::release, PackageBuild::debug),
                         name_of_package_build);

} // namespace
} // namespace pygc::e2e
