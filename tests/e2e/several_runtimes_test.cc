// A process with several CPythons in it: pygc tells them apart, and says which one it speaks of.
#include "tests/e2e/support/front_ends.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// The shared libraries of Debian's release and debug builds.
const std::vector<std::string>& libraries() {
  static const std::string library =
      "/usr/lib/x86_64-linux-gnu/lib" +
      std::filesystem::path(release_build().executable).filename().string();
  static const std::vector<std::string> paths = {library + ".so.1.0", library + "d.so.1.0"};
  return paths;
}

Core core_with_both() {
  std::vector<std::string> words = {PYGC_EMBED_TWO};
  words.insert(words.end(), libraries().begin(), libraries().end());
  return make_core_of_program(words);
}

json document_of(const std::vector<std::string>& words, int status) {
  const Outcome outcome = run_pygc(words);
  EXPECT_EQ(outcome.status, status) << outcome.out << outcome.err;
  return json::parse(outcome.out);
}

TEST(SeveralRuntimes, AreListedAndCheckedOneByOne) {
  const Core core = core_with_both();
  const json runtimes = document_of({"runtime", core.path, "--json"}, 0).at("runtimes");
  ASSERT_EQ(runtimes.size(), 2U) << runtimes.dump(1);
  EXPECT_NE(runtimes.at(0).at("image"), runtimes.at(1).at("image"));
  std::set<bool> debug;
  for (const std::size_t i : {0U, 1U}) {
    const json check =
        document_of({"check", core.path, "--runtime", std::to_string(i), "--json"}, 0);
    EXPECT_EQ(check.at("verdict"), "clean");
    EXPECT_EQ(check.at("python").at("debug"), runtimes.at(i).at("debug"));
    EXPECT_EQ(check.at("interpreters").at(0).at("address"),
              runtimes.at(i).at("interpreters").at(0).at("address"));
    EXPECT_GT(check.at("objects").at("walked"), 1000);
    debug.insert(check.at("python").at("debug").get<bool>());
  }
  EXPECT_EQ(debug.size(), 2U);
}

TEST(SeveralRuntimes, OneOfThemIsNotAllThereIsToCheck) {
  const Core core = core_with_both();
  const json check = document_of({"check", core.path, "--json"}, 3);
  EXPECT_EQ(check.at("complete"), false);
  EXPECT_EQ(check.at("verdict"), "incomplete");
  EXPECT_THAT(check.at("incomplete_because").dump(), HasSubstr("--runtime"));
  const Outcome refused = run_pygc({"check", core.path, "--runtime", "2"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(split_lines(refused.err).size(), 1U) << refused.err;
}

} // namespace
} // namespace pygc::e2e
