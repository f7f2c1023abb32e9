// The layout tables in the repository are what `pygc layout` makes of each build's debug
// information.
#include "tests/e2e/support/matrix.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

TEST(MatrixLayout, TablesAreWhatTheDebugInformationSays) {
  std::size_t equal = 0;
  for_each_build("layout table", [&](const MatrixBuild& build) -> std::string {
    const bool debian = build.build.name.find("pyenv") == std::string::npos;
    const std::string name = std::string(debian ? "debian-" : "upstream-") + build.version +
                             (build.build.debug ? "-debug.json" : "-release.json");
    const std::string known = PYGC_TEST_SHARE_DIR "/layouts/" + name;
    const Core core = make_core({.build = &build.build, .script = "heap.py"});
    const std::string made = core.directory->file(name);
    std::vector<std::string> words = {
        "layout", core.path, "--vendor", debian ? "debian" : "upstream", "--output", made};
    const std::vector<std::string> options = build.build.pygc_options();
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = run_pygc(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    if (!std::filesystem::exists(known)) {
      return "no table yet: tools/make-layout.sh makes " + name;
    }
    EXPECT_EQ(nlohmann::json::parse(read_file(made)), nlohmann::json::parse(read_file(known)))
        << name;
    ++equal;
    return "equal to " + name;
  });
  if (std::getenv("PYGC_MATRIX_ONLY") == nullptr) {
    EXPECT_GE(equal, 2U) << "not even the host's own builds have a table";
  }
}

} // namespace
} // namespace pygc::e2e
