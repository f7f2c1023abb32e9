// Subinterpreters that are at work while a core is taken: what pygc says of the objects of each.
// That gc_refs are right in them is MatrixOracle.Subinterpreter's.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/oracle.h"
#include "tests/e2e/support/processes.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

constexpr int nodes = 1000 + 2000 + 200;

/// Between the count and the core an interpreter makes and drops a few: frames, an argument.
constexpr std::int64_t tolerance = 20;

json of_core(const Core& core, const std::string& command) {
  std::vector<std::string> words = {command, core.path, "--json"};
  std::ranges::copy(core.build->pygc_options(), std::back_inserter(words));
  const Outcome outcome = run_pygc(words);
  return parse_document(outcome.out, outcome);
}

class MatrixSubinterpreters : public MatrixTest {};

TEST_P(MatrixSubinterpreters, EachHasItsObjects) {
  examine_build(GetParam(), "subinterpreters", [](const MatrixBuild& build) -> std::string {
    if (build.number < PythonVersion{3, 13, 0}) {
      return {};
    }
    const RunningScript script({.build = &build.build, .script = "subinterpreters.py"});
    const Core core = core_of(script, build.build);
    const json check = of_core(core, "check");
    EXPECT_EQ(check.at("verdict"), "clean") << check.dump(1);
    EXPECT_EQ(check.at("interpreters").size(), 3U);

    std::vector<std::int64_t> tracked;
    for (const std::string& line : core.printed) {
      tracked.push_back(std::stoll(line.substr(line.find(' ') + 1)));
    }
    EXPECT_EQ(tracked.size(), 3U);
    std::string said;
    for (const json& interpreter : check.at("interpreters")) {
      const std::size_t id = interpreter.at("id");
      std::int64_t objects = 0;
      for (const json& space : interpreter.at("generations")) {
        objects += space.at("objects").get<std::int64_t>();
      }
      EXPECT_NEAR(static_cast<double>(objects), static_cast<double>(tracked.at(id)), tolerance)
          << "interpreter " << id;
      said += (said.empty() ? "" : ", ") + std::to_string(objects);
    }

    const References references = read_core(core).references;
    EXPECT_GT(references.size(), static_cast<std::size_t>(nodes));
    std::int64_t found = 0;
    const json types = of_core(core, "types");
    for (const json& type : types.at("types")) {
      found += type.at("type") == "Node" ? type.at("objects").get<std::int64_t>() : 0;
    }
    EXPECT_EQ(found, nodes);
    return said + " objects";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixSubinterpreters,
                         testing::ValuesIn(half_of_the_kinds(Half::first)), name_of_build);

} // namespace
} // namespace pygc::e2e
