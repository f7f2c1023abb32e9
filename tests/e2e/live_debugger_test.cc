// pygc in GDB and LLDB on running processes: attached, launched, remote.
#include "tests/e2e/support/far_away.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::IsEmpty;

std::string attach(pid_t pid) {
  return "attach " + std::to_string(pid);
}
std::string lldb_attach(pid_t pid) {
  return "process attach --pid " + std::to_string(pid);
}
std::string check_to(const std::string& file) {
  return "pygc check --json --output " + file;
}
json document_in(const std::string& file, const Outcome& outcome) {
  return parse_document(read_file(file), outcome);
}
std::size_t walked(const json& document) {
  return document.at("objects").at("walked").get<std::size_t>();
}

class LiveInDebuggers : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  static const InterpreterBuild& build() { return *GetParam(); }
  static CoreRequest script(const std::string& name, const std::string& word) {
    return {.build = GetParam(), .script = name, .words = {word}};
  }
};

TEST_P(LiveInDebuggers, AttachedEqualsACore) {
  const RunningScript heap(script("heap.py", "twice"));
  const Reading expected = read_core(core_of(heap, build()));
  EXPECT_EQ(findings_of(expected.check, "unowned_visit").size(), 1U);

  const Reading gdb = read_in_gdb(build(), {attach(heap.pid())});
  expect_same(gdb, expected);
  EXPECT_EQ(gdb.check.at("target").at("kind"), "live");
  EXPECT_EQ(gdb.check.at("target").at("pid"), heap.pid());
  EXPECT_TRUE(runs_freely(heap.pid()));

  const Reading lldb = read_in_lldb(build(), {lldb_attach(heap.pid())});
  expect_same(lldb, expected);
  EXPECT_EQ(lldb.check.at("target").at("kind"), "live");
  EXPECT_EQ(lldb.check.at("target").at("pid"), heap.pid());
  EXPECT_TRUE(runs_freely(heap.pid()));
  expect_same(read_process(heap.pid(), build()), expected);
}

TEST_P(LiveInDebuggers, LaunchedInGdbAtABreakpoint) {
  const TempDir directory;
  const std::string first = directory.file("first");
  const std::string second = directory.file("second");
  const Outcome outcome = run_in_gdb(
      {.executable = build().executable, .core = {}},
      {"set breakpoint pending on", "break getppid", "run " + script_path("stages.py") + " 2",
       "break list_traverse", "break visit_decref", "break dict_traverse", check_to(first),
       "pygc gc-refs --output " + first + ".refs", "gcore " + first + ".core", "delete",
       "break getppid", "continue", check_to(second), "gcore " + second + ".core", "kill"});
  const json at_first = document_in(first, outcome);
  const json at_second = document_in(second, outcome);
  EXPECT_EQ(at_first.at("target").at("kind"), "live");
  EXPECT_EQ(at_first.at("verdict"), "clean") << outcome.out << outcome.err;
  EXPECT_GE(walked(at_second), walked(at_first) + 1000);
  Core core;
  core.build = GetParam();
  for (const auto& [file, document] : {std::pair(first, at_first), std::pair(second, at_second)}) {
    core.path = file + ".core";
    expect_same_check(document, check_alone(core).document);
  }
  const std::string refs = directory.file("refs");
  ASSERT_EQ(run_pygc({"gc-refs", first + ".core", "--output", refs}).status, 0);
  const Comparison comparison = compare(read_references(refs), read_references(first + ".refs"));
  EXPECT_EQ(comparison.differences, 0U) << comparison.first_ones;
  EXPECT_THAT(outcome.survivors, IsEmpty());
}

/// Between its last Py_DECREF and PyObject_GC_UnTrack: healthy, and no collection can begin.
TEST_P(LiveInDebuggers, AListThatIsJustBeingFreed) {
  const TempDir directory;
  const std::string file = directory.file("check");
  const Outcome outcome =
      run_in_gdb({.executable = build().executable, .core = {}},
                 {"break *list_dealloc", "ignore 1 20", "run " + script_path("stages.py") + " 2",
                  check_to(file), "gcore " + file + ".core", "kill"});
  const json document = document_in(file, outcome);
  EXPECT_EQ(document.at("verdict"), "clean") << document.dump(1) << outcome.out;
  EXPECT_EQ(document.at("objects").at("unreadable"), 0);
  EXPECT_THAT(document.at("notes").dump(),
              testing::HasSubstr("in the tp_dealloc that untracks it"));
  Core core;
  core.build = GetParam();
  core.path = file + ".core";
  expect_same_check(document, check_alone(core).document);
}

/// From the entry of PyObject_GC_UnTrack, an instruction at a time: a list whose links are just
/// being written is no damage.
TEST_P(LiveInDebuggers, AListThatIsJustBeingUntracked) {
  constexpr int steps = 40;
  const TempDir directory;
  std::vector<std::string> commands = {"break *list_dealloc", "ignore 1 20",
                                       "run " + script_path("stages.py") + " 2",
                                       "break *PyObject_GC_UnTrack", "continue"};
  for (int i = 0; i < steps; ++i) {
    commands.emplace_back("stepi");
    commands.push_back(check_to(directory.file(std::to_string(i))));
  }
  commands.emplace_back("kill");
  const Outcome outcome = run_in_gdb({.executable = build().executable, .core = {}}, commands);
  int midway = 0;
  for (int i = 0; i < steps; ++i) {
    const json document = document_in(directory.file(std::to_string(i)), outcome);
    EXPECT_THAT(document.at("findings"), IsEmpty()) << i << document.dump(1);
    const std::string reasons = document.at("incomplete_because").dump();
    if (reasons.find("is just tracking or untracking") != std::string::npos) {
      EXPECT_EQ(document.at("verdict"), "incomplete");
      ++midway;
    } else {
      EXPECT_EQ(document.at("verdict"), "clean") << i << document.dump(1);
    }
  }
  EXPECT_GE(midway, 1); // between the two links
}

TEST_P(LiveInDebuggers, LaunchedInLldbAtABreakpoint) {
  const TempDir directory;
  const std::string first = directory.file("first");
  const std::string second = directory.file("second");
  const std::string third = directory.file("third");
  const std::string take = directory.file("take.sh");
  std::ofstream(take) << "PID=$(pgrep -n -f '[s]tages.py 2 " << third << "')\n"
                      << "gcore -o " << third << ".core $PID\nkill -9 $PID\n";
  // LLDB leaves its breakpoints in the process while it stands still.
  const Outcome outcome =
      run_in_lldb({.executable = build().executable, .core = {}},
                  {"breakpoint set --name getppid",
                   "process launch -- " + script_path("stages.py") + " 2 " + third,
                   "breakpoint set --name list_traverse", "breakpoint set --name visit_decref",
                   "breakpoint set --name dict_traverse", check_to(first), "breakpoint disable",
                   "breakpoint enable 1", "process continue", check_to(second),
                   "breakpoint set --name clock_nanosleep", "process continue", check_to(third),
                   "pygc gc-refs --output " + third + ".refs", "breakpoint delete --force",
                   "process detach", "platform shell -t 60 -- sh " + take});
  const json at_first = document_in(first, outcome);
  const json at_second = document_in(second, outcome);
  for (const json* each : {&at_first, &at_second}) {
    EXPECT_EQ(each->at("target").at("kind"), "live");
    EXPECT_EQ(each->at("verdict"), "clean") << outcome.out << outcome.err;
    EXPECT_EQ(each->at("objects").at("traversed"), each->at("objects").at("walked"));
  }
  EXPECT_GE(walked(at_second), walked(at_first) + 1000);
  // LLDB writes no ELF cores. Where it lets go of the process, in its sleep, GDB takes one.
  const json at_third = document_in(third, outcome);
  Core core;
  core.build = GetParam();
  core.path = third + ".core." + at_third.at("target").at("pid").dump();
  expect_same_check(at_third, check_alone(core).document);
  const std::string refs = directory.file("refs");
  ASSERT_EQ(run_pygc({"gc-refs", core.path, "--output", refs}).status, 0);
  const Comparison comparison = compare(read_references(refs), read_references(third + ".refs"));
  EXPECT_GT(comparison.objects, 2000U);
  EXPECT_EQ(comparison.differences, 0U) << comparison.first_ones;
  EXPECT_THAT(outcome.survivors, IsEmpty());
}

TEST_P(LiveInDebuggers, StoppedAtACrash) {
  const TempDir directory;
  const std::string file = directory.file("check");
  const DebuggerTarget target{.executable = build().executable, .core = {}};
  const Outcome gdb = run_in_gdb(target, {"run " + script_path("crash.py"), check_to(file),
                                          "gcore " + file + ".core", "kill"});
  const json in_gdb = document_in(file, gdb);
  EXPECT_EQ(findings_of(in_gdb, "unowned_visit").size(), 1U) << gdb.out;
  Core core;
  core.build = GetParam();
  core.path = file + ".core";
  expect_same_check(in_gdb, check_alone(core).document);
  std::filesystem::remove(file);
  // A batch of LLDB ends at a crash, but for the commands that are given for it.
  const Outcome lldb = run({.words = {PYGC_LLDB, "--batch", "--no-lldbinit", "-o",
                                      std::string("plugin load ") + PYGC_LLDB_PLUGIN, "-o",
                                      "target create " + build().executable, "-o",
                                      "process launch -- " + script_path("crash.py"), "-k",
                                      check_to(file), "-k", "process kill", "-k", "quit"}});
  const json in_lldb = document_in(file, lldb);
  EXPECT_EQ(findings_of(in_lldb, "unowned_visit").size(), 1U) << lldb.out;
  EXPECT_EQ(in_lldb.at("complete"), true);
  EXPECT_THAT(lldb.survivors, IsEmpty());
}

TEST_P(LiveInDebuggers, TheSelectedProcessCounts) {
  const RunningScript one(script("heap.py", "twice"));
  const RunningScript other(script("heap.py", "once"));
  const TempDir directory;
  const std::string second = directory.file("second");
  const std::string first = directory.file("first");
  const Outcome gdb =
      run_in_gdb({}, {attach(one.pid()), "add-inferior", "inferior 2", attach(other.pid()),
                      check_to(second), "inferior 1", check_to(first)});
  EXPECT_EQ(document_in(first, gdb).at("target").at("pid"), one.pid());
  EXPECT_EQ(document_in(first, gdb).at("verdict"), "findings");
  EXPECT_EQ(document_in(second, gdb).at("target").at("pid"), other.pid());
  EXPECT_EQ(document_in(second, gdb).at("verdict"), "clean");
  EXPECT_TRUE(runs_freely(one.pid()) && runs_freely(other.pid()));

  const Outcome lldb =
      run_in_lldb({}, {"target create " + build().executable, lldb_attach(one.pid()),
                       "target create " + build().executable, lldb_attach(other.pid()),
                       check_to(second), "target select 0", check_to(first)});
  EXPECT_EQ(document_in(first, lldb).at("target").at("pid"), one.pid());
  EXPECT_EQ(document_in(first, lldb).at("verdict"), "findings");
  EXPECT_EQ(document_in(second, lldb).at("target").at("pid"), other.pid());
  EXPECT_EQ(document_in(second, lldb).at("verdict"), "clean");
}

TEST_P(LiveInDebuggers, OfTwoEqualProcessesTheSelectedOne) {
  const RunningScript parent({.build = GetParam(), .script = "forks.py"});
  const pid_t child = std::stoi(parent.printed().front().substr(6));
  const TempDir directory;
  const std::string second = directory.file("second");
  const std::string first = directory.file("first");
  const Outcome gdb =
      run_in_gdb({}, {attach(parent.pid()), "add-inferior", "inferior 2", attach(child),
                      check_to(second), "inferior 1", check_to(first)});
  EXPECT_EQ(document_in(first, gdb).at("target").at("pid"), parent.pid());
  EXPECT_EQ(document_in(second, gdb).at("target").at("pid"), child);
  ::kill(child, SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(Builds, LiveInDebuggers, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

class Remote : public LiveInDebuggers {};

TEST_P(Remote, GdbserverEqualsACore) {
  // The kernel tells a thread in its rseq area which processor it runs on.
  InterpreterBuild without_rseq = build();
  without_rseq.env.emplace_back("GLIBC_TUNABLES=glibc.pthread.rseq=0");
  const RunningScript heap({.build = &without_rseq, .script = "heap.py", .words = {"twice"}});
  const Reading expected = read_core(core_of(heap, build()));
  const std::string pid = std::to_string(heap.pid());
  const TempDir directory;
  const std::string before = directory.file("before");
  const std::string after = directory.file("after");
  ASSERT_EQ(run_pygc({"snapshot", "--pid", pid, "--output", before}).status, 0);

  {
    const Gdbserver server({"--once", "--attach", "PORT", pid});
    const Reading remote = read_in_gdb(build(), server.connect("remote"), {"detach"});
    expect_same(remote, expected);
    EXPECT_EQ(remote.check.at("target").at("kind"), "remote");
    EXPECT_EQ(remote.check.at("target").at("pid"), heap.pid());
    EXPECT_TRUE(runs_freely(heap.pid()));
  }
  // Not a byte of the process has changed.
  ASSERT_EQ(run_pygc({"snapshot", "--pid", pid, "--output", after}).status, 0);
  EXPECT_EQ(changed_memory(before, after), "");

  const Gdbserver server({"--multi", "PORT"});
  Commands commands = server.connect("extended-remote");
  commands.push_back(attach(heap.pid()));
  const Reading extended = read_in_gdb(build(), commands, {"detach"});
  expect_same(extended, expected);
  EXPECT_EQ(extended.check.at("target").at("kind"), "remote");
  EXPECT_TRUE(runs_freely(heap.pid()));
}

TEST_P(Remote, LldbServerPlatformEqualsACore) {
  if (!FarAway::is_possible()) {
    GTEST_SKIP() << "PID namespaces need root";
  }
  FarAway there({.build = GetParam(), .script = "heap.py", .words = {"twice"}});
  const pid_t pid = there.wait_for_script();
  ASSERT_NE(pid, 0);
  const Reading remote = read_in_lldb(build(), there.attach());
  EXPECT_EQ(remote.check.at("target").at("kind"), "remote") << remote.outcome.out;
  EXPECT_EQ(remote.check.at("target").at("pid"), pid);
  EXPECT_EQ(remote.check.at("complete"), true);
  EXPECT_EQ(findings_of(remote.check, "unowned_visit").size(), 1U);
  const pid_t here = there.pid_here();
  ASSERT_NE(here, 0);
  expect_same(remote, read_process(here, build()));
}

INSTANTIATE_TEST_SUITE_P(Builds, Remote, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

TEST(RemoteTraffic, OnlyTouchedPagesTravel) {
  const RunningScript script({.build = &release_build(), .script = "ballast.py"});
  const std::string pid = std::to_string(script.pid());
  const Gdbserver server({"--once", "--attach", "PORT", pid});
  const Reading remote = read_in_gdb(release_build(), server.connect("remote"), {"detach"});
  EXPECT_EQ(remote.check.at("complete"), true);
  EXPECT_GT(remote.check.at("target").at("fetched_bytes"), 1 << 20);
  EXPECT_LT(remote.check.at("target").at("fetched_bytes"), 40 << 20);
}

} // namespace
} // namespace pygc::e2e
