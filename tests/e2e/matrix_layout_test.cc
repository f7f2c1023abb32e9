// The layout tables in the repository are what `pygc layout` makes of each build's debug
// information.
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

std::string vendor_of(const MatrixBuild& build) {
  const std::string& name = build.build.name;
  return name.starts_with("pyenv") || name.starts_with("source") ? "upstream" : "debian";
}

/// The table in the repository, by its path; of the build's version, release or debug.
std::string table_of(const MatrixBuild& build) {
  return std::string(PYGC_TEST_SHARE_DIR "/layouts/") + vendor_of(build) + "-" + build.version +
         (build.free_threaded ? "t" : "") + (build.build.debug ? "-debug.json" : "-release.json");
}

class MatrixLayout : public MatrixTest {};

TEST_P(MatrixLayout, TableIsWhatTheDebugInformationSays) {
  examine_build(GetParam(), "layout table", [&](const MatrixBuild& build) -> std::string {
    const std::string known = table_of(build);
    const std::string name = std::filesystem::path(known).filename().string();
    const Core core = make_core({.build = &build.build, .script = "heap.py"});
    const std::string made = core.directory->file(name);
    std::vector<std::string> words = {"layout",         core.path,  "--vendor",
                                      vendor_of(build), "--output", made};
    const std::vector<std::string> options = build.build.pygc_options();
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = run_pygc(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    if (!std::filesystem::exists(known)) {
      return "no table yet: tools/make-layout.sh makes " + name;
    }
    EXPECT_EQ(nlohmann::json::parse(read_file(made)), nlohmann::json::parse(read_file(known)))
        << name;
    return "equal to " + name;
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixLayout, testing::ValuesIn(matrix()), name_of_build);

TEST(MatrixCoverage, TheHostsOwnBuildsHaveLayoutTables) {
  const auto with_table = std::ranges::count_if(
      matrix(), [](const MatrixBuild& build) { return std::filesystem::exists(table_of(build)); });
  EXPECT_GE(with_table, 2) << "not even the host's own builds have a table";
}

} // namespace
} // namespace pygc::e2e
