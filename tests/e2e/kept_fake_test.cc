// How a plugin keeps an analysis between commands, shown by one that behaves and misbehaves as it
// is told.
#include "tests/e2e/support/plugin_target.h"
#include "tests/e2e/support/typed_debugger.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

namespace pygc::e2e {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class KeptFake : public testing::TestWithParam<Debugger> {
protected:
  static Outcome run_commands(const DebuggerTarget& on, const std::vector<std::string>& commands) {
    return run_in(GetParam(), on, commands, with_fake_analysis());
  }
  /// "process N command M" of each command, the processes numbered as they come.
  static std::vector<std::string> answers(const Outcome& outcome) {
    static const std::regex pattern("^process ([0-9]+) command ([0-9]+)$");
    std::vector<std::string> processes;
    std::vector<std::string> found;
    for (const std::string& line : split_lines(outcome.out)) {
      std::smatch match;
      if (!std::regex_match(line, match, pattern)) {
        continue;
      }
      auto at = std::ranges::find(processes, match[1].str());
      if (at == processes.end()) {
        at = processes.insert(at, match[1].str());
      }
      found.push_back(std::string(1, static_cast<char>('a' + (at - processes.begin()))) +
                      match[2].str());
    }
    return found;
  }

  PluginTarget target;
};

INSTANTIATE_TEST_SUITE_P(Debuggers, KeptFake, testing::Values(Debugger::gdb, Debugger::lldb),
                         [](const auto& param) { return debugger_name(param.param); });

TEST_P(KeptFake, ServesCommandAfterCommand) {
  for (const DebuggerTarget& on : {target.debugger_target(), DebuggerTarget{}}) {
    const Outcome outcome =
        run_commands(on, {"pygc check stay", "pygc check stay", "pygc gc-refs stay"});
    EXPECT_THAT(answers(outcome), ElementsAre("a1", "a2", "a3")) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.survivors, IsEmpty());
  }
}

// One process does not get to see two cores of the debugger's.
TEST_P(KeptFake, AnotherCoreHasANewOne) {
  const std::string copy = target.directory.file("copy");
  std::filesystem::copy_file(target.core, copy);
  const auto open = [](const std::string& core) {
    return (GetParam() == Debugger::gdb ? "core-file " : "target create --core ") + core;
  };
  const Outcome outcome = run_commands(target.debugger_target(),
                                       {"pygc check stay", open(copy), "pygc check stay",
                                        "pygc check stay", open(target.core), "pygc check stay"});
  EXPECT_THAT(answers(outcome), ElementsAre("a1", "b1", "b2", "c1")) << outcome.out << outcome.err;
}

TEST_P(KeptFake, OneThatIsGoneOrDeafIsReplaced) {
  const Outcome outcome = run_commands(
      target.debugger_target(),
      {"pygc check stay-no-more", "pygc check stay", "pygc check stay-deaf", "pygc check stay",
       "pygc check stay", "pygc check status 0", "pygc check stay"});
  // A command after which it does not stay is its last.
  EXPECT_THAT(answers(outcome), ElementsAre("a1", "b1", "b2", "c1", "c2", "d1")) << outcome.out;
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("the analysis")));
  EXPECT_THAT(outcome.survivors, IsEmpty());
}

TEST_P(KeptFake, OneThatMisbehavesIsEndedAndSaidSo) {
  const std::string script = target.directory.file("script");
  std::ofstream(script) << "pygc check stay\npygc check crash\npygc check stay\n"
                           "pygc check garbage\npygc check stay\n";
  const bool gdb = GetParam() == Debugger::gdb;
  const Outcome outcome =
      run_commands(target.debugger_target(),
                   {(gdb ? "source " : "command source --stop-on-error false ") + script});
  EXPECT_THAT(answers(outcome), ElementsAre("a1", "b1", "c1")) << outcome.out;
  EXPECT_THAT(outcome.out + outcome.err,
              AllOf(HasSubstr("ended by signal 11"), HasSubstr("broke the protocol")));
}

TEST_P(KeptFake, AProcessHasANewOneForEachCommand) {
  const bool gdb = GetParam() == Debugger::gdb;
  const Outcome outcome = run_commands(
      {.executable = target.executable, .core = {}},
      {"pygc check stay", "pygc check stay", gdb ? "break abort" : "breakpoint set --name abort",
       gdb ? "run --abort" : "process launch -- --abort", "pygc check stay", "pygc check stay",
       gdb ? "kill" : "process kill"});
  EXPECT_THAT(answers(outcome), ElementsAre("a1", "a2", "b1", "c1")) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.survivors, IsEmpty());
}

} // namespace
} // namespace pygc::e2e
