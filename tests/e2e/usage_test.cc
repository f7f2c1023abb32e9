// The command line as people type it: usual words, usual mistakes, widths, pipes, completion.
#include "tests/e2e/support/front_ends.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Usage, AloneItPrintsTheCommands) {
  const Outcome outcome = run_pygc({});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("check"), HasSubstr("gc-refs"), HasSubstr("--version")));
  EXPECT_EQ(run_pygc({"help"}).out, outcome.out);
}

TEST(Usage, HelpOfACommandInTheFormThatOneKnows) {
  const std::string help = run_pygc({"check", "--help"}).out;
  EXPECT_EQ(run_pygc({"help", "check"}).out, help);
  // Its own options come first.
  EXPECT_LT(help.find("--deep"), help.find("--sysroot"));
}

TEST(Usage, VersionInEachForm) {
  const std::string version = run_pygc({"version"}).out;
  EXPECT_THAT(version, testing::StartsWith("pygc "));
  EXPECT_EQ(run_pygc({"--version"}).out, version);
  EXPECT_EQ(run_pygc({"-V"}).out, version);
}

struct Mistake {
  std::vector<std::string> words;
  std::string said;
};

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreToldInOneSentence) {
  const Outcome outcome = run_pygc(GetParam().words);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "pygc: " + GetParam().said + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Usage, Mistakes,
    testing::Values(
        Mistake{{"chekc"}, "unknown command 'chekc'; did you mean 'check'?"},
        Mistake{{"help", "gcrefs"}, "unknown command 'gcrefs'; did you mean 'gc-refs'?"},
        Mistake{{"xyzzy"}, "unknown command 'xyzzy'; pygc help lists the commands"},
        Mistake{{"1234"}, "'1234' is no command; a process? pygc check --pid 1234"},
        Mistake{{PYGC_BINARY}, "'" PYGC_BINARY "' is no command; a core? pygc check " PYGC_BINARY},
        Mistake{{"check", "17865"}, "17865: No such file or directory (a process? --pid 17865)"},
        Mistake{{"--deep", "check"}, "the command comes first: pygc check --deep ..."},
        Mistake{{"check", "--dep"}, "unknown option '--dep'; did you mean '--deep'?"},
        Mistake{{"check", "--jsno=1"}, "unknown option '--jsno'; did you mean '--json'?"},
        Mistake{{"check", "--quux"}, "unknown option '--quux'; pygc check --help lists them"},
        Mistake{{"check", "a", "b"}, "one core at a time: 'a', or 'b'?"},
        Mistake{{"check", "a", "-p", "3"}, "a core ('a') or a process (--pid), not both"},
        Mistake{{"check", "--pid", "python3"}, "--pid: 'python3' is not a number"},
        Mistake{{"check", "--pid"}, "--pid wants a value: --pid N"},
        Mistake{{"check", "--engine", "natve"},
                "--engine: 'natve' is none of native, emulated, both; did you mean 'native'?"},
        Mistake{{"snapshot", "--pid", "1"}, "pygc snapshot wants --output FILE"},
        Mistake{{"watch"}, "pygc watch wants ADDR"},
        Mistake{{"version", "3"},
                "'3' is one word too many; pygc version --help says what it takes"}));

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  for (const std::string& line : split_lines(text)) {
    width = std::max(width, line.size());
  }
  return width;
}

TEST(Usage, HelpIsNoWiderThanTheTerminal) {
  for (const char* command : {"check", "step", "snapshot", "doctor"}) {
    for (const int columns : {60, 80, 120}) {
      const Outcome outcome = run_pygc({command, "--help"}, {"COLUMNS=" + std::to_string(columns)});
      EXPECT_LE(widest(outcome.out), static_cast<std::size_t>(columns)) << outcome.out;
    }
  }
}

TEST(Usage, AReaderThatGoesAwayIsNoError) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py"});
  const Outcome outcome =
      run({.words = {"bash", "-c",
                     std::string("set -o pipefail; \"$0\" gc-refs \"$1\" | head -n 1; "
                                 "echo \"status ${PIPESTATUS[0]}\""),
                     PYGC_BINARY, core.path}});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("0x"), HasSubstr("status 0")));
  EXPECT_EQ(outcome.err, "");
}

/// What bash would offer for the words, of which the last is being typed.
std::vector<std::string> completed(const std::vector<std::string>& words) {
  std::string script = "source \"$0\"; COMP_WORDS=(";
  for (const std::string& word : words) {
    script += "'" + word + "' ";
  }
  script += "); COMP_CWORD=" + std::to_string(words.size() - 1) +
            "; _pygc; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const Outcome outcome = run({.words = {"bash", "-c", script,
                                         PYGC_BUILD_DIR "/reference/bash-completion/completions/"
                                                        "pygc"}});
  EXPECT_EQ(outcome.err, "");
  return split_lines(outcome.out);
}

TEST(Usage, BashCompletesCommandsOptionsAndValues) {
  EXPECT_THAT(completed({"pygc", "che"}), testing::ElementsAre("check"));
  EXPECT_THAT(completed({"pygc", "check", "--no-t"}), testing::ElementsAre("--no-trace"));
  EXPECT_THAT(completed({"pygc", "check", "--engine", "e"}), testing::ElementsAre("emulated"));
  EXPECT_THAT(completed({"pygc", "help", "gen"}), testing::ElementsAre("generations"));
  EXPECT_THAT(completed({"pygc", "snapshot", "--deep"}), Not(testing::Contains("--deep")));
}

TEST(Usage, EachCommandHasAManualPage) {
  const std::string pages = PYGC_BUILD_DIR "/reference/man/man1/";
  const std::string all = read_file(pages + "pygc.1");
  EXPECT_THAT(all, HasSubstr("pygc\\-check"));
  const std::string check = read_file(pages + "pygc-check.1");
  EXPECT_THAT(check, AllOf(HasSubstr("\\-\\-no\\-trace"), HasSubstr("\\-\\-sysroot"),
                           Not(HasSubstr("Excludes"))));
  EXPECT_TRUE(std::filesystem::exists(pages + "pygc-gc-refs.1"));
}

} // namespace
} // namespace pygc::e2e
