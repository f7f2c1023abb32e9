// `cmake --install` into a prefix that is then moved: pygc alone, in GDB and in LLDB from there.
#include "tests/e2e/support/front_ends.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <thread>

namespace pygc::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// An installation that lies elsewhere than where it was installed, under a name with a space.
class Installed {
public:
  Installed() {
    const std::string first = directory_.file("first");
    const Outcome outcome =
        run({.words = {PYGC_CMAKE, "--install", PYGC_BUILD_DIR, "--prefix", first}});
    if (outcome.status != 0) {
      throw std::runtime_error("cmake --install: " + outcome.out + outcome.err);
    }
    fs::rename(first, prefix());
  }
  fs::path prefix() const { return directory_.path() / "moved away"; }
  std::string file(const char* name) const { return (prefix() / name).string(); }

private:
  TempDir directory_;
};

const Installed& installed() {
  static const Installed one;
  return one;
}

const Core& core() {
  static const Core one = make_core({.build = &release_build(), .script = "heap.py"});
  return one;
}

nlohmann::json document_in(const std::string& file, const Outcome& outcome) {
  return parse_document(fs::exists(file) ? read_file(file) : std::string(), outcome);
}

TEST(Install, NamesNothingOfTheBuild) {
  for (const auto& entry : fs::recursive_directory_iterator(installed().prefix())) {
    if (entry.is_regular_file()) {
      EXPECT_THAT(read_file(entry.path()), Not(HasSubstr(PYGC_BUILD_DIR "/")))
          << entry.path() << " would not do elsewhere";
    }
  }
}

TEST(Install, RunsAloneWhereItWasMovedTo) {
  const Outcome outcome = run({.words = {installed().file("bin/pygc"), "check", core().path,
                                         "--engine", "both", "--json"}});
  const nlohmann::json document = parse_document(outcome.out, outcome);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(document.at("complete").get<bool>()) << document.dump(1);
}

TEST(Install, RunsInGdbWhereItWasMovedTo) {
  const TempDir directory;
  const std::string file = directory.file("check.json");
  // The link is what Debian's GDB finds in /etc/gdb/gdbinit.d; a second time does no harm.
  for (const char* script : {"share/pygc/pygc.gdb", "etc/gdb/gdbinit.d/pygc.gdb"}) {
    fs::remove(file);
    const Outcome outcome =
        run({.words = {PYGC_GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off", "-x",
                       installed().file(script), "-x", installed().file("share/pygc/pygc.gdb"),
                       "-ex", "pygc check --json --output " + file, core().build->executable,
                       "-core", core().path},
             .env = {"PYGC_EXECUTABLE"}});
    EXPECT_TRUE(document_in(file, outcome).at("complete").get<bool>());
    EXPECT_THAT(outcome.err, Not(HasSubstr("pygc")));
  }
}

std::set<fs::path> left_in_tmp() {
  std::set<fs::path> ours;
  for (const auto& entry : fs::directory_iterator("/tmp")) {
    if (entry.path().filename().string().starts_with(".pygc-gdb-")) {
      ours.insert(entry.path());
    }
  }
  return ours;
}

TEST(Install, GdbLeavesNoFileBehind) {
  const std::set<fs::path> before = left_in_tmp();
  const Outcome outcome =
      run({.words = {PYGC_GDB, "-nx", "-batch", "-x", installed().file("share/pygc/pygc.gdb"),
                     "-ex", "pygc version"}});
  EXPECT_THAT(outcome.out, HasSubstr("pygc "));
  // Other tests start GDB at the same time: theirs come and go.
  std::set<fs::path> left;
  for (int attempt = 0; attempt < 50; attempt++) {
    left = left_in_tmp();
    std::erase_if(left, [&](const fs::path& path) { return before.contains(path); });
    if (left.empty()) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_THAT(left, testing::IsEmpty());
}

TEST(Install, SaysInGdbWhenTheShellIsNone) {
  const Outcome outcome =
      run({.words = {PYGC_GDB, "-nx", "-batch", "-x", installed().file("share/pygc/pygc.gdb"),
                     "-ex", "echo went on\\n"},
           .env = {"SHELL=/bin/false"}});
  EXPECT_THAT(outcome.out, HasSubstr("pygc: not loaded: the shell"));
  EXPECT_THAT(outcome.out, HasSubstr("went on"));
}

TEST(Install, ForAUserIsDoneOnceAndTakenBack) {
  const TempDir home;
  const std::vector<std::string> env{"HOME=" + home.path().string(), "XDG_DATA_HOME",
                                     "XDG_CONFIG_HOME", "PYGC_EXECUTABLE"};
  const std::string init = home.file(".gdbinit");
  const std::string own = "set confirm off\n# mine\n";
  std::ofstream(init) << own;
  const auto install = [&](const char* option) {
    const Outcome outcome =
        run({.words = {installed().file("bin/pygc"), "install", option}, .env = env});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_THAT(install("--user"),
              HasSubstr("now ends with: source " + installed().file("share/pygc/pygc.gdb")));
  const std::string once = read_file(init);
  EXPECT_THAT(once, testing::StartsWith(own));
  EXPECT_THAT(install("--user"), testing::AllOf(HasSubstr("gdbinit loads pygc already"),
                                                HasSubstr("lldbinit loads pygc already")));
  EXPECT_EQ(read_file(init), once);

  const Outcome gdb = run({.words = {PYGC_GDB, "-batch", "-ex", "pygc version"}, .env = env});
  EXPECT_THAT(gdb.out, HasSubstr("pygc ")) << gdb.err;
  const Outcome lldb = run({.words = {PYGC_LLDB, "--batch", "-o", "pygc version"}, .env = env});
  EXPECT_THAT(lldb.out, HasSubstr("CPython")) << lldb.err;

  install("--remove");
  EXPECT_EQ(read_file(init), own);
  EXPECT_EQ(read_file(home.file(".lldbinit")), "");
  EXPECT_THAT(install("--remove"), HasSubstr("gdbinit did not load pygc"));
}

TEST(Install, LeavesAFileThatCannotBeReadAlone) {
  const TempDir home;
  const std::string init = home.file(".lldbinit");
  fs::create_symlink(init, init); // nobody can open that, whoever runs the tests
  const Outcome outcome = run({.words = {installed().file("bin/pygc"), "install"},
                               .env = {"HOME=" + home.path().string(), "PYGC_EXECUTABLE"}});
  EXPECT_EQ(outcome.status, 2) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr(init));
  EXPECT_TRUE(fs::is_symlink(init));
}

TEST(Install, RunsInLldbWhereItWasMovedTo) {
  const TempDir directory;
  const std::string file = directory.file("check.json");
  const Outcome outcome = run(
      {.words = {PYGC_LLDB, "--batch", "--no-lldbinit", "-o",
                 "plugin load '" + installed().file("lib/lldb/plugins/libpygc-lldb.so") + "'", "-o",
                 "target create --core \"" + core().path + "\" " + core().build->executable, "-o",
                 "pygc check --json --output " + file},
       .env = {"PYGC_EXECUTABLE"}});
  EXPECT_TRUE(document_in(file, outcome).at("complete").get<bool>());
}

} // namespace
} // namespace pygc::e2e
