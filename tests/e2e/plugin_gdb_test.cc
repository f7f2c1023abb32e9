// The GDB plugin in a real GDB, with an analysis that behaves and misbehaves as it is told.
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

constexpr const char* print_status = "printf \"status is %d\\n\", $pygc_status";

class GdbPlugin : public testing::Test {
protected:
  Outcome gdb(const std::vector<std::string>& commands) const {
    return run_in_gdb(target.debugger_target(), commands, with_fake_analysis());
  }
  static Outcome gdb_without_target(const std::vector<std::string>& commands) {
    return run_in_gdb({}, commands, with_fake_analysis());
  }
  std::vector<std::string> words(const std::string& script) const {
    return {PYGC_GDB,
            "-nx",
            "-q",
            "-iex",
            "set debuginfod enabled off",
            "-x",
            PYGC_GDB_SCRIPT,
            target.executable,
            "-core",
            target.core,
            "-x",
            script};
  }
  std::string script(const std::string& text) const {
    const std::string path = target.directory.file("script.gdb");
    std::ofstream(path) << text;
    return path;
  }

  PluginTarget target;
};

TEST_F(GdbPlugin, PassesWordsWithAnyQuoting) {
  const auto out =
      gdb({R"(pygc check plain "two words" 'single "inside"' back\ slash "" $pc --a="b c" it's' na)"
           "\u00efve"})
          .out;
  for (const char* word : {"[check]", "[plain]", "[two words]", "[single \"inside\"]",
                           "[back slash]", "[]", "[$pc]", "[--a=b c]", "[its]", "[na\u00efve]"}) {
    EXPECT_THAT(out, HasSubstr(std::string("word ") + word + "\n"));
  }
}

TEST_F(GdbPlugin, HandsOverTheKernelCore) {
  const auto outcome = gdb({"pygc check", print_status});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("debugger gdb "), HasSubstr("kind core"),
                                 HasSubstr("core " + target.core + "\n"),
                                 HasSubstr("executable " + target.executable + "\n"),
                                 HasSubstr("backing is ELF\n"), HasSubstr("status is 0\n")));
  EXPECT_THAT(outcome.out, HasSubstr("address 8 cannot be read"));
  EXPECT_THAT(outcome.survivors, testing::IsEmpty());
}

TEST_F(GdbPlugin, RunsWithoutATargetAsOftenAsWanted) {
  const auto out =
      gdb_without_target({"pygc check first.core", "pygc check second", "pygc check status 3",
                          print_status, "pygc check evaluate 0x10", "pygc check evaluate main",
                          print_status})
          .out;
  EXPECT_THAT(out,
              AllOf(HasSubstr("word [first.core]"), HasSubstr("word [second]"),
                    HasSubstr("kind none"), HasSubstr("status is 3"), HasSubstr("0x10 = 16"),
                    HasSubstr("no value: \"main\" is not a number"), HasSubstr("status is 2")));
}

TEST_F(GdbPlugin, StatusIsAConvenienceVariable) {
  for (const char* status : {"0", "1", "2", "3"}) {
    EXPECT_THAT(gdb({std::string("pygc check status ") + status, print_status}).out,
                HasSubstr(std::string("status is ") + status + "\n"));
  }
}

TEST_F(GdbPlugin, PrintsThroughGdb) {
  const std::string special =
      "100% \"quoted\" \\ 'single' $pc %s %n \t tab\nna\u00efve \u2603 \U0001F40D\n";
  const std::string piped = target.directory.file("piped");
  const std::string logged = target.directory.file("logged");
  const auto outcome =
      gdb({"pipe pygc check special | cat > " + piped, "set logging file " + logged,
           "set logging redirect on", "set logging enabled on", "pygc check special",
           "set logging enabled off", "pygc check special"});
  EXPECT_EQ(read_file(piped), special);
  EXPECT_EQ(read_file(logged), special);
  EXPECT_THAT(outcome.out, HasSubstr(special));
}

// GDB waits for the program to end, and that for the last who could write to it.
TEST_F(GdbPlugin, APipeEndsThoughTheAnalysisStays) {
  const auto outcome =
      gdb({"pipe pygc check stay | wc -l", "pipe pygc check stay | wc -l", "echo went on\\n"});
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_THAT(outcome.out, HasSubstr("1\n1\nwent on\n"));
}

TEST_F(GdbPlugin, PrintsAMegabyteWhole) {
  const auto outcome = gdb({"pipe pygc check large | wc", "pipe pygc check large | tail -1"});
  EXPECT_THAT(outcome.out, testing::ContainsRegex(" 20001 +200001 +1048891\n"));
  EXPECT_THAT(outcome.out, HasSubstr("line 19999 of a large output"));
}

TEST_F(GdbPlugin, SpeaksMi) {
  Command command{.words = words(script("pygc check special\n")), .env = with_fake_analysis()};
  command.words.insert(command.words.begin() + 1, "-i=mi");
  const auto outcome = run(command);
  EXPECT_THAT(outcome.out, HasSubstr(R"(~"100% \"quoted\" \\ 'single' $pc %s %n \t tab\n)"));
  for (const auto& line : split_lines(outcome.out)) { // nothing but MI records
    EXPECT_TRUE(line.empty() || std::string("~&=*^@(").find(line[0]) != std::string::npos) << line;
  }
}

// As front ends type: GDB tells them of each thread and frame that is selected.
TEST_F(GdbPlugin, SelectsNothingThatMiTellsOf) {
  Child child({.words = {PYGC_GDB, "-nx", "-q", "-i=mi", "-iex", "set debuginfod enabled off",
                         target.executable, "-core", target.core},
               .env = with_fake_analysis(),
               .typed = true});
  const std::string load = std::string("source ") + PYGC_GDB_SCRIPT;
  for (const std::string& line :
       {"-interpreter-exec console \"" + load + "\"", std::string("-thread-select 2"),
        std::string("-stack-select-frame 1"), std::string("41-stack-info-frame"),
        std::string("45-data-evaluate-expression $_thread"),
        std::string("42-interpreter-exec console \"pygc check\""),
        std::string("43-interpreter-exec console \"pygc check threads\""),
        std::string("44-stack-info-frame"), std::string("46-data-evaluate-expression $_thread"),
        std::string("-gdb-exit")}) {
    child.type(line);
  }
  const std::string out = child.wait(std::chrono::seconds(60)).out;
  const auto record = [&](const std::string& token) {
    const auto at = out.find("\n" + token + "^done");
    EXPECT_NE(at, std::string::npos) << token << " in " << out;
    return at == std::string::npos ? std::string() : out.substr(at, out.find('\n', at + 1) - at);
  };
  const std::string before = record("41").substr(3);
  EXPECT_THAT(before, HasSubstr("level=\"1\""));
  EXPECT_EQ(record("44").substr(3), before);
  EXPECT_THAT(record("45"), HasSubstr("value=\"2\""));
  EXPECT_THAT(record("46"), HasSubstr("value=\"2\""));
  EXPECT_THAT(record("42") + record("43"), Not(HasSubstr("error")));
  const std::string during = out.substr(out.find("\n41^done"));
  EXPECT_THAT(during, AllOf(HasSubstr("kind core"), HasSubstr("2 threads")));
  EXPECT_THAT(during, AllOf(Not(HasSubstr("=thread-selected")), Not(HasSubstr("~\"#")),
                            Not(HasSubstr("??"))));
}

TEST_F(GdbPlugin, IsSourcedTwiceWithoutHarm) {
  const std::string again = std::string("source ") + PYGC_GDB_SCRIPT;
  const std::string twice = script(again + "\necho went on\\n\n" + again + "\npygc check\n");
  const auto outcome = gdb({"pygc check status 1", "source " + twice, print_status});
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("went on\n"), HasSubstr("kind core"), HasSubstr("status is 0")))
      << outcome.err;
  EXPECT_EQ(outcome.err.find("already loaded"), std::string::npos) << outcome.err;
  const auto unloaded = gdb({"jit-reader-unload", again, "pygc check status 3", print_status});
  EXPECT_THAT(unloaded.out, HasSubstr("status is 3")) << unloaded.err;
}

TEST_F(GdbPlugin, ServesWhateverLanguageIsSelected) {
  for (const char* language : {"ada", "asm", "c++", "d", "fortran", "go", "minimal", "modula-2",
                               "objective-c", "opencl", "pascal", "rust"}) {
    const auto out =
        gdb({std::string("set language ") + language, std::string("source ") + PYGC_GDB_SCRIPT,
             "pygc check threads", "show language"})
            .out;
    EXPECT_THAT(out, AllOf(HasSubstr("2 threads\n"),
                           HasSubstr("source language is \"" + std::string(language) + "\"")))
        << language;
  }
}

/// GDB under limits of open files, with the plugin loaded.
Outcome gdb_limited(const std::string& limits, const std::vector<std::string>& commands) {
  std::vector<std::string> words = {"sh",     "-c",     limits + R"(; exec "$@")",
                                    "sh",     PYGC_GDB, "-nx",
                                    "-batch", "-ex",    std::string("source ") + PYGC_GDB_SCRIPT};
  for (const auto& each : commands) {
    words.insert(words.end(), {"-ex", each});
  }
  return run({.words = words, .env = with_fake_analysis()});
}

TEST_F(GdbPlugin, NeedsNoHighSoftLimitOfOpenFiles) {
  const auto outcome = gdb_limited(
      "ulimit -Sn 256", {"pygc check status 3", print_status, "pygc check", "shell ulimit -Sn"});
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("status is 3"), HasSubstr("kind none"), testing::EndsWith("256\n")))
      << outcome.err;
  EXPECT_THAT(outcome.err, Not(HasSubstr("version")));
}

TEST_F(GdbPlugin, SaysWhichHardLimitIsTooLow) {
  const auto outcome = gdb_limited("ulimit -n 256", {"echo alive\\n"});
  EXPECT_THAT(outcome.err,
              HasSubstr("pygc: not loaded: GDB may have 256 open files, and pygc needs "
                        "736 (ulimit -Hn)"));
  EXPECT_THAT(outcome.out, HasSubstr("alive"));
}

TEST_F(GdbPlugin, OutlivesACrash) {
  const auto outcome = gdb({"pygc check crash", print_status, "pygc check status 1", print_status,
                            "printf \"alive %d\\n\", 40 + 2"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("before the crash\n"), HasSubstr("ended by signal 11"),
                                 HasSubstr("about to crash\n"), HasSubstr("status is 2"),
                                 HasSubstr("status is 1"), HasSubstr("alive 42")));
  EXPECT_EQ(outcome.status, 0);
}

TEST_F(GdbPlugin, OutlivesNonsense) {
  const auto outcome =
      gdb({"pygc check garbage", print_status, "pygc check vanish", "pygc check flood",
           "pygc check snoop", "printf \"alive %d\\n\", 40 + 2"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("broke the protocol"),
                                 HasSubstr("not a message of pygc"), HasSubstr("status is 2"),
                                 HasSubstr("exit status 7"), HasSubstr("--output FILE"),
                                 HasSubstr("an expression that the command does not contain"),
                                 HasSubstr("alive 42")));
  EXPECT_THAT(outcome.survivors, testing::IsEmpty());
}

TEST_F(GdbPlugin, SaysWhenTheAnalysisCannotBeStarted) {
  const auto outcome = run_in_gdb(target.debugger_target(), {"pygc check", print_status},
                                  {"PYGC_EXECUTABLE=/nonexistent/pygc"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("cannot start the analysis /nonexistent/pygc"),
                                 HasSubstr("status is 2")));
}

class GdbPluginHang : public GdbPlugin, public testing::WithParamInterface<bool> {};

TEST_P(GdbPluginHang, EndsByInterruptOrKill) {
  const bool with_target = GetParam();
  for (const int signal : {SIGINT, SIGKILL}) {
    const std::string file = target.directory.file("hanging" + std::to_string(signal));
    std::vector<std::string> all = {
        PYGC_GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off", "-x", PYGC_GDB_SCRIPT};
    if (with_target) {
      all.insert(all.end(), {target.executable, "-core", target.core});
    }
    all.insert(all.end(), {"-ex", "pygc check hang " + file, "-ex", print_status, "-ex",
                           "pygc check status 3", "-ex", print_status});
    Child child({.words = all, .env = with_fake_analysis()});
    const pid_t analysis = wait_for_hanging(file);
    if (signal == SIGINT) {
      child.send(SIGINT);
    } else {
      ASSERT_EQ(::kill(analysis, SIGKILL), 0);
    }
    const auto outcome = child.wait(std::chrono::seconds(60));
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_TRUE(process_ends(analysis));
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("status is 2"), HasSubstr("status is 3")))
        << outcome.err;
    if (signal == SIGKILL) {
      EXPECT_THAT(outcome.out, HasSubstr("ended by signal 9"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, GdbPluginHang, testing::Bool(), [](const auto& param) {
  return param.param ? "with_core" : "without_target";
});

TEST_F(GdbPlugin, EvaluatesWhatTheUserTyped) {
  const auto out = gdb({"printf \"marker at %lu\\n\", (unsigned long)&target_marker",
                        "pygc check evaluate '(unsigned long)&target_marker'", print_status,
                        "pygc check evaluate 010"})
                       .out;
  const auto at = out.find("marker at ");
  ASSERT_NE(at, std::string::npos);
  const std::string address = out.substr(at + 10, out.find('\n', at) - at - 10);
  EXPECT_THAT(out, HasSubstr("(unsigned long)&target_marker = " + address + "\n"));
  EXPECT_THAT(out, HasSubstr("010 = 8\n"));
}

TEST_F(GdbPlugin, GdbItselfSaysWhyAnExpressionFails) {
  const auto outcome = gdb({"pygc check evaluate nosuch", print_status});
  EXPECT_THAT(outcome.err, HasSubstr("No symbol \"nosuch\" in current context"));
  EXPECT_THAT(outcome.out, HasSubstr("status is 2"));
  EXPECT_THAT(outcome.survivors, testing::IsEmpty());
}

TEST_F(GdbPlugin, LeavesThreadAndFrameAlone) {
  const auto out = gdb({"thread 2", "up", "pygc check", "pygc check threads",
                        "printf \"thread %d\\n\", $_thread", "info frame"})
                       .out;
  EXPECT_THAT(out, AllOf(HasSubstr("thread 2\n"), HasSubstr("Stack level 1,")));
  EXPECT_THAT(out, AllOf(HasSubstr("2 threads\n"), HasSubstr("mappings unknown\n"),
                         Not(HasSubstr("missing")), Not(HasSubstr("unreadable"))));
}

TEST_F(GdbPlugin, CarriesActionsOutAndRemovesItsOwnBreakpointsOnly) {
  const auto out =
      gdb({"break *0x87654320", "pygc check actions", print_status, "info breakpoints"}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("Breakpoint 2 at 0x12345678"), HasSubstr("status 3\n"),
                         HasSubstr("after it <a 'b\\ \"c>\n"), HasSubstr("status is 3")));
  const auto left = out.substr(out.rfind("Num "));
  EXPECT_THAT(left, AllOf(HasSubstr("87654320"), Not(HasSubstr("12345678"))));
}

TEST_F(GdbPlugin, RemovesWhatAnEarlierCommandLeft) {
  const auto out =
      gdb({"pygc check leave", "info breakpoints", "pygc check", "info breakpoints"}).out;
  EXPECT_THAT(out,
              AllOf(HasSubstr("0x0000000012345678"),
                    HasSubstr("stop only if $rdi == 0x1000 && *(unsigned long *) 0x2000 < 0x4"),
                    HasSubstr("No breakpoints")));
}

TEST_F(GdbPlugin, RefusesUnsoundActions) {
  const auto out = gdb({"pygc check unsound", print_status}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("broke the protocol"), HasSubstr("status is 2"),
                         Not(HasSubstr("from a shell"))));
}

TEST_F(GdbPlugin, ServesALiveProcess) {
  const auto out = run_in_gdb({.executable = target.executable, .core = {}},
                              {"set breakpoint pending on", "break abort", "run --abort",
                               "pygc check", print_status, "pygc check threads", "continue"},
                              with_fake_analysis())
                       .out;
  EXPECT_THAT(out, AllOf(HasSubstr("kind live pid "), HasSubstr("backing is not ELF"),
                         HasSubstr("2 threads\n"), HasSubstr("mappings known\n"),
                         HasSubstr("status is 0"), HasSubstr("SIGABRT")));
  EXPECT_THAT(out, AllOf(Not(HasSubstr("missing,")), Not(HasSubstr("unreadable"))));
}

TEST_F(GdbPlugin, IsDocumentedInGdb) {
  const auto out = run_in_gdb({}, {"help pygc", "help pygc check", "apropos gc_refs"}, {}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("pygc check -- Check the reference counts"),
                         HasSubstr("pygc gc-refs -- List gc_refs"),
                         HasSubstr("Usage: pygc check [OPTION...]"), HasSubstr("$pygc_status")));
}

TEST_F(GdbPlugin, LearnsItsCommandsFromTheExecutable) {
  const auto out = gdb_without_target({"help pygc"}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("Pretend to inspect"),
                         HasSubstr("pygc gc-refs -- List gc_refs in name only"),
                         Not(HasSubstr("pygc runtime"))));
}

TEST_F(GdbPlugin, SaysWhenTheExecutableIsMissing) {
  const auto outcome =
      run_in_gdb({}, {"help pygc check", "pygc check"}, {"PYGC_EXECUTABLE=/nonexistent/pygc"});
  EXPECT_THAT(outcome.err, HasSubstr("cannot start the analysis /nonexistent/pygc"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("could not be asked for its commands"),
                                 HasSubstr("pygc: cannot start the analysis /nonexistent/pygc")));
}

TEST_F(GdbPlugin, PrintsNothingWhenLoaded) {
  const auto outcome = gdb_without_target({"echo quiet\\n"});
  EXPECT_EQ(outcome.out, "quiet\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(GdbPlugin, KnowsNoPythonAndNoLibraryButTheSystems) {
  const auto needed = run({.words = {"readelf", "-d", "-W", PYGC_GDB_PLUGIN}});
  ASSERT_EQ(needed.status, 0) << needed.err;
  std::vector<std::string> libraries;
  for (const auto& line : split_lines(needed.out)) {
    if (line.find("(NEEDED)") != std::string::npos) {
      libraries.push_back(line.substr(line.find('[')));
    }
  }
  EXPECT_THAT(libraries, Not(testing::IsEmpty()));
  EXPECT_THAT(libraries,
              testing::Each(testing::AnyOf("[libstdc++.so.6]", "[libgcc_s.so.1]", "[libm.so.6]",
                                           "[libc.so.6]", "[ld-linux-x86-64.so.2]")));
  const auto symbols = run({.words = {"nm", "-D", PYGC_GDB_PLUGIN}});
  ASSERT_EQ(symbols.status, 0) << symbols.err;
  EXPECT_THAT(symbols.out, Not(HasSubstr(" Py")));
  EXPECT_THAT(symbols.out,
              AllOf(HasSubstr(" T gdb_init_reader"), HasSubstr("plugin_is_GPL_compatible")));
  EXPECT_THAT(read_file(PYGC_GDB_SCRIPT), Not(HasSubstr("python")));
}

} // namespace
} // namespace pygc::e2e
