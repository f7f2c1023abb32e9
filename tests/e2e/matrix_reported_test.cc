// Situations that people reported, on every build of the matrix.
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Check check_case(const MatrixBuild& build, const std::string& name,
                 const std::vector<std::string>& extensions) {
  const Core core = make_core({.build = &build.build,
                               .script = "reported.py",
                               .words = {build_extensions(build.build, extensions), name},
                               .kind = CoreKind::kernel});
  return check_alone(core, build.build.pygc_options());
}

/// The first line of the script that has the text.
std::size_t line_of(const std::string& text) {
  const auto lines = split_lines(read_file(script_path("reported.py")));
  const auto found = std::ranges::find_if(
      lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  return static_cast<std::size_t>(found - lines.begin()) + 1;
}

/// The one finding.
json only_finding(const Check& check, const std::string& kind) {
  const json& findings = check.document.at("findings");
  if (findings.size() != 1 || findings.at(0).at("kind") != kind) {
    throw std::runtime_error("not one " + kind + ": " + check.document.dump(1));
  }
  return findings.at(0);
}

class MatrixReported : public MatrixTest {};

TEST_P(MatrixReported, AnObjectThatARunningFunctionUsesUncounted) {
  examine_build(GetParam(), "undercounted local", [](const MatrixBuild& build) {
    const Check check = check_case(build, "undercount_local", {"undercount_local"});
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "undercounted_local");
    EXPECT_EQ(finding.at("severity"), "error");
    EXPECT_EQ(finding.at("object").at("type"), "Conf");
    EXPECT_EQ(finding.at("gc_refs"), 0);
    const auto message = finding.at("message").get<std::string>();
    EXPECT_THAT(message, HasSubstr("'session' of work() ("));
    EXPECT_THAT(message, HasSubstr("reported.py:" + std::to_string(line_of("os.abort()")) + ")"));
    const Check sound = check_case(build, "undercount_local_not", {"undercount_local"});
    EXPECT_EQ(sound.status, 0) << sound.document.dump(1);
    return std::string("'session' of work()");
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixReported, testing::ValuesIn(matrix()), name_of_build);

} // namespace
} // namespace pygc::e2e
