// `pygc modules` on every build of the matrix: two instances of faulthandler, and a module whose
// state holds its types.
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

json modules_in(const MatrixBuild& build, const Core& core) {
  std::vector<std::string> words = {"modules", core.path, "--json"};
  const auto options = build.build.pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return json::parse(outcome.out).at("modules");
}

std::vector<json> named(const json& modules, const std::string& name) {
  std::vector<json> found;
  std::ranges::copy_if(modules, std::back_inserter(found),
                       [&](const json& module) { return module.at("name") == name; });
  return found;
}

/// Both share one definition; only the second one is in sys.modules.
void expect_two_instances(const MatrixBuild& build, const Core& core,
                          const std::vector<json>& instances) {
  ASSERT_EQ(instances.size(), 2U);
  EXPECT_EQ(instances[0].at("definition"), instances[1].at("definition"));
  EXPECT_NE(instances[0].at("address"), instances[1].at("address"));
  EXPECT_NE(instances[0].at("in_sys_modules"), instances[1].at("in_sys_modules"));
  for (const json& instance : instances) {
    EXPECT_EQ(instance.at("instances"), 2);
    EXPECT_EQ(instance.at("reachable"), true);
    if (!build.has_faulthandler_bug()) {
      EXPECT_EQ(instance.at("m_traverse"), nullptr);
      EXPECT_TRUE(instance.at("visits").empty());
      continue;
    }
    EXPECT_THAT(instance.at("function").get<std::string>(),
                testing::StartsWith("faulthandler_traverse"));
    const json& visits = instance.at("visits");
    ASSERT_EQ(visits.size(), 1U) << instance.dump(1);
    EXPECT_EQ(to_address(visits[0].at("object").get<std::string>()),
              to_address(core.printed_value("stderr")));
    const bool in_runtime = build.number >= PythonVersion{3, 12, 0};
    EXPECT_EQ(visits[0].at("owner"), in_runtime ? "runtime" : "static");
    EXPECT_THAT(visits[0].at("slot_name").get<std::string>(),
                testing::EndsWith("fatal_error.file"));
  }
}

/// posix has a state with types in it since 3.8 or 3.9, and is initialised by slots since 3.9.
std::string expect_module_with_state(const MatrixBuild& build, const std::vector<json>& found) {
  EXPECT_EQ(found.size(), 1U);
  if (build.number < PythonVersion{3, 9, 0} || found.size() != 1) {
    return "";
  }
  const json& module = found.front();
  EXPECT_EQ(module.at("multi_phase"), true) << module.dump(1);
  EXPECT_EQ(module.at("m_traverse_runs"), true);
  EXPECT_GT(module.at("m_size"), 0);
  EXPECT_GT(module.at("visits").size(), 2U);
  for (const json& visit : module.at("visits")) {
    EXPECT_EQ(visit.at("owner"), "module state") << visit.dump(1);
  }
  return ", posix visits " + std::to_string(module.at("visits").size()) + " of its state";
}

class MatrixModules : public MatrixTest {};

TEST_P(MatrixModules, InstancesOfOneDefinitionAndWhatTheyVisit) {
  examine_build(GetParam(), "modules", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "heap.py", .words = {"twice"}});
    const json modules = modules_in(build, core);
    expect_two_instances(build, core, named(modules, "faulthandler"));
    const auto builtins = named(modules, "builtins");
    EXPECT_EQ(builtins.size(), 1U);
    EXPECT_EQ(builtins.at(0).at("multi_phase"), false);
    EXPECT_EQ(builtins.at(0).at("m_size"), -1);
    const auto json_package = named(modules, "json");
    EXPECT_EQ(json_package.size(), 1U);
    EXPECT_THAT(json_package.at(0).at("file").get<std::string>(),
                testing::EndsWith("json/__init__.py"));
    EXPECT_EQ(json_package.at(0).at("definition"), nullptr);
    return std::to_string(modules.size()) + " modules" +
           expect_module_with_state(build, named(modules, "posix"));
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixModules, testing::ValuesIn(half_of_the_kinds(Half::first)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
