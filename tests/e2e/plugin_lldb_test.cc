// The LLDB plugin in a real LLDB, with an analysis that behaves and misbehaves as it is told.
#include "tests/e2e/support/plugin_target.h"

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class LldbPlugin : public testing::Test {
protected:
  Outcome lldb(const std::vector<std::string>& commands) const {
    return run_in_lldb(target.debugger_target(), commands, with_fake_analysis());
  }
  /// Where a failing command is not the end.
  Outcome lldb_going_on(const std::string& commands, bool with_target = true) const {
    const std::string script = target.directory.file("script.lldb");
    std::ofstream(script) << commands;
    return run_in_lldb(with_target ? target.debugger_target() : DebuggerTarget{},
                       {"command source --stop-on-error false " + script}, with_fake_analysis());
  }

  PluginTarget target;
};

TEST_F(LldbPlugin, PassesWordsWithAnyQuoting) {
  const auto out =
      lldb({R"(pygc check plain "two words" 'single "inside"' back\ slash "" $pc --a="b c" na)"
            "\u00efve"})
          .out;
  for (const char* word : {"[check]", "[plain]", "[two words]", "[single \"inside\"]",
                           "[back slash]", "[]", "[$pc]", "[--a=b c]", "[na\u00efve]"}) {
    EXPECT_THAT(out, HasSubstr(std::string("word ") + word + "\n"));
  }
}

TEST_F(LldbPlugin, HandsOverTheKernelCore) {
  const auto outcome = lldb({"pygc check"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("debugger lldb "), HasSubstr("kind core"),
                    HasSubstr("core " + target.core + "\n"),
                    HasSubstr("executable " + target.executable + "\n"),
                    HasSubstr("backing is ELF\n"), HasSubstr("address 8 cannot be read")));
  EXPECT_THAT(outcome.survivors, testing::IsEmpty());
}

TEST_F(LldbPlugin, RunsWithoutATarget) {
  const auto out = run_in_lldb({}, {"pygc check some.core"}, with_fake_analysis()).out;
  EXPECT_THAT(out, AllOf(HasSubstr("word [some.core]"), HasSubstr("kind none")));
}

TEST_F(LldbPlugin, OnlyErrorsEndABatch) {
  for (const char* status : {"0", "1", "3"}) {
    const auto outcome = lldb({std::string("pygc check status ") + status, "pygc status"});
    EXPECT_EQ(outcome.status, 0) << status;
    EXPECT_THAT(outcome.out, HasSubstr(std::string("pygc status\n") + status + "\n"));
  }
  const auto failed = lldb({"pygc check status 2", "pygc status"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.out, Not(HasSubstr("pygc status")));
}

TEST_F(LldbPlugin, StatusEndsABatchWhereThatIsWanted) {
  EXPECT_EQ(lldb({"pygc check status 0", "pygc status --fail"}).status, 0);
  for (const char* status : {"1", "3"}) {
    const auto outcome = lldb({std::string("pygc check status ") + status, "pygc status --fail"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.out, HasSubstr(std::string("pygc status --fail\n") + status + "\n"));
  }
  EXPECT_THAT(lldb({"pygc status --fial"}).err, HasSubstr("takes --fail"));
}

TEST_F(LldbPlugin, ErrorsOnlyForStatusTwo) {
  const auto failed = lldb({"pygc check diagnostics"});
  EXPECT_THAT(failed.out + failed.err, HasSubstr("error: something is wrong"));
  const auto found = lldb({"pygc check status 1"});
  EXPECT_THAT(found.out + found.err, Not(HasSubstr("error")));
}

TEST_F(LldbPlugin, PrintsAnything) {
  EXPECT_THAT(
      lldb({"pygc check special"}).out,
      HasSubstr("100% \"quoted\" \\ 'single' $pc %s %n \t tab\nna\u00efve \u2603 \U0001F40D\n"));
  const auto large = lldb({"pygc check large"});
  EXPECT_THAT(large.out, AllOf(HasSubstr(std::string(20000, 'y') + "\n"),
                               HasSubstr("line 19999 of a large output")));
}

TEST_F(LldbPlugin, OutlivesACrash) {
  const auto outcome = lldb_going_on("pygc check crash\npygc status\nexpression 40 + 2\n");
  EXPECT_THAT(outcome.out + outcome.err,
              AllOf(HasSubstr("before the crash\n"), HasSubstr("ended by signal 11"),
                    HasSubstr("about to crash\n"), HasSubstr("pygc status\n2\n"),
                    HasSubstr("= 42")));
}

TEST_F(LldbPlugin, OutlivesNonsense) {
  const auto outcome = lldb_going_on("pygc check garbage\npygc check vanish\npygc check flood\n"
                                     "pygc check snoop\nexpression 40 + 2\n");
  EXPECT_THAT(outcome.out + outcome.err,
              AllOf(HasSubstr("broke the protocol"), HasSubstr("not a message of pygc"),
                    HasSubstr("exit status 7"), HasSubstr("--output FILE"),
                    HasSubstr("an expression that the command does not contain"),
                    HasSubstr("= 42")));
  EXPECT_THAT(outcome.survivors, testing::IsEmpty());
}

TEST_F(LldbPlugin, SaysWhenTheAnalysisCannotBeStarted) {
  const auto outcome =
      run_in_lldb(target.debugger_target(), {"pygc check"}, {"PYGC_EXECUTABLE=/nonexistent/pygc"});
  EXPECT_THAT(outcome.out + outcome.err,
              HasSubstr("error: cannot start the analysis /nonexistent/pygc"));
  EXPECT_EQ(outcome.status, 1);
}

TEST_F(LldbPlugin, AHangEndsByInterruptOrKill) {
  for (const int signal : {SIGINT, SIGKILL}) {
    const std::string file = target.directory.file("hanging" + std::to_string(signal));
    Child child({.words = {PYGC_LLDB, "--batch", "--no-lldbinit", "-o",
                           std::string("plugin load ") + PYGC_LLDB_PLUGIN, "-o",
                           "target create --core " + target.core + " " + target.executable, "-o",
                           "pygc check hang " + file},
                 .env = with_fake_analysis()});
    const pid_t analysis = wait_for_hanging(file);
    if (signal == SIGINT) {
      child.send(SIGINT);
    } else {
      ASSERT_EQ(::kill(analysis, SIGKILL), 0);
    }
    const auto outcome = child.wait(std::chrono::seconds(60));
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_TRUE(process_ends(analysis));
    EXPECT_THAT(outcome.out + outcome.err,
                HasSubstr(signal == SIGINT ? "error: interrupted" : "ended by signal 9"));
  }
}

TEST_F(LldbPlugin, EvaluatesWhatTheUserTyped) {
  const auto out = lldb({"expression -f u -- (unsigned long)&target_marker",
                         "pygc check evaluate '(unsigned long)&target_marker'"})
                       .out;
  const auto at = out.find("= ");
  ASSERT_NE(at, std::string::npos) << out;
  EXPECT_THAT(out, HasSubstr("(unsigned long)&target_marker " +
                             out.substr(at, out.find('\n', at) - at) + "\n"));
}

TEST_F(LldbPlugin, SaysWhyAnExpressionFails) {
  const auto outcome = lldb({"pygc check evaluate nosuch"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("LLDB cannot evaluate \"nosuch\""),
                                 HasSubstr("undeclared identifier")));
}

TEST_F(LldbPlugin, ServesThreadsAndLeavesTheFrameAlone) {
  const auto out =
      lldb({"thread select 2", "frame select 1", "pygc check threads", "frame info"}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("2 threads\n"), Not(HasSubstr("missing,")),
                         Not(HasSubstr("unreadable"))));
  EXPECT_THAT(out.substr(out.rfind("frame info")), HasSubstr("frame #1:"));
}

TEST_F(LldbPlugin, CarriesActionsOutAndRemovesItsOwnBreakpointsOnly) {
  const auto out = lldb_going_on("breakpoint set --address 0x87654320\n"
                                 "pygc check actions\npygc status\n"
                                 "pygc check leave\nbreakpoint list\n")
                       .out;
  EXPECT_THAT(out, AllOf(HasSubstr("status 3\n"), HasSubstr("after it <a 'b\\ \"c>\n"),
                         HasSubstr("\n3\n")));
  const auto left = out.substr(out.rfind("breakpoint list"));
  EXPECT_THAT(left, AllOf(HasSubstr("87654320"), Not(HasSubstr("12345678"))));
}

TEST_F(LldbPlugin, RefusesUnsoundActions) {
  const auto outcome = lldb({"pygc check unsound"});
  EXPECT_THAT(outcome.out + outcome.err,
              AllOf(HasSubstr("broke the protocol"), Not(HasSubstr("from a shell"))));
}

TEST_F(LldbPlugin, ServesALiveProcess) {
  const auto out = run_in_lldb({.executable = target.executable, .core = {}},
                               {"breakpoint set --name abort", "process launch -- --abort",
                                "pygc check", "pygc check threads", "process kill"},
                               with_fake_analysis())
                       .out;
  EXPECT_THAT(out, AllOf(HasSubstr("kind live pid "), HasSubstr("backing is not ELF"),
                         HasSubstr("2 threads\n"), HasSubstr("mappings known\n"),
                         Not(HasSubstr("missing,")), Not(HasSubstr("unreadable"))));
}

TEST_F(LldbPlugin, IsDocumentedInLldb) {
  const auto out = run_in_lldb({}, {"help pygc", "help pygc check"}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("gc-refs"), HasSubstr("Syntax: pygc check [OPTION...]"),
                         HasSubstr("Status: 0 clean and complete")));
}

TEST_F(LldbPlugin, SaysNothingWhenLoadedByItsOwnLldb) {
  const auto outcome = run_in_lldb({}, {"version"});
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("pygc: ")));
}

// Whatever its major, the LLDB that loads the plugin must be the only one in the process.
TEST_F(LldbPlugin, LinksNoLldb) {
  const auto needed = run({.words = {"readelf", "-d", "-W", PYGC_LLDB_PLUGIN}});
  ASSERT_EQ(needed.status, 0) << needed.err;
  EXPECT_THAT(needed.out, AllOf(HasSubstr("libstdc++"), Not(HasSubstr("lldb.so")),
                                Not(HasSubstr("liblldb")), Not(HasSubstr("python"))));
  const auto symbols = run({.words = {"nm", "-D", "--defined-only", PYGC_LLDB_PLUGIN}});
  EXPECT_EQ(split_lines(symbols.out).size(), 1U) << symbols.out;
}

} // namespace
} // namespace pygc::e2e
