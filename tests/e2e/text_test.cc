// What people read: the text of `pygc check`, in each front end.
#include "tests/e2e/support/front_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Code points of a line of UTF-8.
std::size_t width(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line) {
    count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
  }
  return count;
}

auto tells_the_finding_of(const Core& core) {
  return AllOf(HasSubstr("CPython " + core.printed_value("version")), HasSubstr("gc_refs -1"),
               HasSubstr("<stderr>"), HasSubstr("faulthandler"),
               HasSubstr("faulthandler_traverse"));
}

class CheckText : public testing::Test {
protected:
  static const Core& twice() {
    static const Core core =
        make_core({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
    return core;
  }
};

TEST_F(CheckText, AloneShowsTheArithmeticInEightyColumns) {
  const Outcome outcome = run_pygc({"check", twice().path});
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_THAT(outcome.out, tells_the_finding_of(twice()));
  EXPECT_THAT(outcome.out,
              testing::ContainsRegex("[0-9]+ references - [0-9]+ visits = gc_refs -1"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\033"))) << "colour without a terminal";
  const std::vector<std::string> lines = split_lines(outcome.out);
  for (const std::string& line : lines) {
    EXPECT_LE(width(line), 80U) << line;
  }
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "verdict: findings (1 error)");
  EXPECT_THAT(outcome.out, HasSubstr("1 visit: sys.__dict__['stderr']"));
  EXPECT_LE(lines.size(), 40U); // one finding, not one for each of its aspects
}

TEST_F(CheckText, CleanSaysSoInTheLastLine) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py"});
  const Outcome outcome = run_pygc({"check", core.path});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const std::vector<std::string> lines = split_lines(outcome.out);
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines.back(), HasSubstr("clean"));
}

TEST_F(CheckText, GdbAndLldbShowTheSameText) {
  const Outcome alone = run_pygc({"check", twice().path});
  const Outcome gdb = run_in_gdb(target_of(twice()), {"pygc check"});
  const Outcome lldb = run_in_lldb(target_of(twice()), {"pygc check"});
  EXPECT_THAT(gdb.out, tells_the_finding_of(twice())) << gdb.err;
  EXPECT_THAT(lldb.out, tells_the_finding_of(twice())) << lldb.err;
  // Line by line, but for those that tell times.
  for (const std::string& line : split_lines(alone.out)) {
    if (line.find(" s") == std::string::npos) {
      EXPECT_THAT(gdb.out, HasSubstr(line));
      EXPECT_THAT(lldb.out, HasSubstr(line));
    }
  }
}

TEST_F(CheckText, OutputGoesToTheFileThatIsNamed) {
  const TempDir directory;
  const std::string file = directory.file("report.txt");
  const Outcome outcome = run_pygc({"check", twice().path, "--output", file});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(read_file(file), tells_the_finding_of(twice()));
}

TEST_F(CheckText, HelpNamesTheCommands) {
  const Outcome help = run_pygc({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("check"), HasSubstr("gc-refs")));
  const Outcome check_help = run_pygc({"check", "--help"});
  EXPECT_EQ(check_help.status, 0);
  EXPECT_THAT(check_help.out,
              AllOf(HasSubstr("--json"), HasSubstr("--output"), HasSubstr("--executable"),
                    HasSubstr("--sysroot"), HasSubstr("--debug-directory")));
}

} // namespace
} // namespace pygc::e2e
