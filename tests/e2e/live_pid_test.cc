// pygc alone on a running process: --pid and snapshot.
#include "tests/e2e/support/processes.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

class LivePid : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  static CoreRequest heap(const std::string& word) {
    return {.build = GetParam(), .script = "heap.py", .words = {word}};
  }
};

TEST_P(LivePid, EqualsACoreOfTheSameMoment) {
  const RunningScript script(heap("twice"));
  const std::string pid = std::to_string(script.pid());
  const Check live = check_process(script.pid());
  const Core core = core_of(script, *GetParam());
  const Check dead = check_alone(core);

  EXPECT_EQ(live.status, 1);
  EXPECT_EQ(dead.status, 1);
  const json& target = live.document.at("target");
  EXPECT_EQ(target.at("kind"), "live");
  EXPECT_EQ(target.at("pid"), script.pid());
  EXPECT_TRUE(target.at("core").is_null());
  EXPECT_EQ(target.at("executable"), dead.document.at("target").at("executable"));
  EXPECT_GT(target.at("stopped_seconds"), 0);
  EXPECT_LT(target.at("stopped_seconds"), live.document.at("seconds").at("total"));
  EXPECT_FALSE(live.document.at("findings").empty());
  expect_same_check(live.document, dead.document);
  EXPECT_THAT(live.outcome.survivors, IsEmpty());

  const std::string of_process = core.directory->file("process");
  const std::string of_core = core.directory->file("of_core");
  EXPECT_EQ(run_pygc({"gc-refs", "--pid", pid, "--output", of_process}).status, 0);
  EXPECT_EQ(run_pygc({"gc-refs", core.path, "--output", of_core}).status, 0);
  const Comparison comparison = compare(read_references(of_core), read_references(of_process));
  EXPECT_GT(comparison.objects, 10000U);
  EXPECT_EQ(comparison.differences, 0U) << comparison.first_ones;
}

TEST_P(LivePid, LeavesTheProcessAsItWas) {
  const RunningScript script(heap("once"));
  while (!status_field(script.pid(), "State").starts_with("S")) { // READY is out before it waits
  }
  EXPECT_EQ(check_process(script.pid()).status, 0);
  EXPECT_EQ(status_field(script.pid(), "TracerPid"), "0");
  EXPECT_THAT(status_field(script.pid(), "State"), testing::StartsWith("S (sleeping)"));
  EXPECT_EQ(status_field(script.pid(), "SigPnd").find_first_not_of('0'), std::string::npos);

  ::kill(script.pid(), SIGSTOP);
  while (!status_field(script.pid(), "State").starts_with("T")) {
  }
  EXPECT_EQ(check_process(script.pid()).status, 0);
  EXPECT_THAT(status_field(script.pid(), "State"), testing::StartsWith("T (stopped)"));
  ::kill(script.pid(), SIGCONT);
}

TEST_P(LivePid, SnapshotIsACoreForAll) {
  const RunningScript script(heap("twice"));
  Core core;
  core.directory = std::make_shared<TempDir>();
  core.path = core.directory->file("snapshot");
  core.build = GetParam();
  core.pid = script.pid();
  const Outcome outcome =
      run_pygc({"snapshot", "--pid", std::to_string(script.pid()), "--output", core.path});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("stood still for"));

  const Check of_snapshot = check_alone(core);
  expect_same_check(of_snapshot.document, check_alone(core_of(script, *GetParam())).document);
  EXPECT_EQ(of_snapshot.document.at("target").at("pid"), script.pid());
  expect_same_check(check_in_gdb(core).document, of_snapshot.document);
  expect_same_check(check_in_lldb(core).document, of_snapshot.document);
  const Outcome gdb = run_in_gdb(target_of(core), {"info threads", "bt"});
  EXPECT_THAT(gdb.out, HasSubstr("Thread"));
  EXPECT_THAT(gdb.out, HasSubstr("_PyEval_EvalFrameDefault"));
}

TEST_P(LivePid, SnapshotIntoADeviceLeavesTheDevice) {
  const RunningScript script(heap("plain"));
  const TempDir directory;
  const std::filesystem::path link =
      directory.file("null"); // were it replaced, only the link is lost
  std::filesystem::create_symlink("/dev/null", link);
  const Outcome outcome =
      run_pygc({"snapshot", "--pid", std::to_string(script.pid()), "--output", link.string()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

/// A thread of the kernel; 0: none is to be seen from here, as in a container.
pid_t kernel_thread() {
  constexpr pid_t looked_at = 64;
  for (pid_t pid = 1; pid < looked_at; ++pid) {
    if (std::filesystem::exists("/proc/" + std::to_string(pid)) &&
        status_field(pid, "VmSize").empty() && !status_field(pid, "State").starts_with("Z")) {
      return pid;
    }
  }
  return 0;
}

TEST(LivePidOfTheKernel, AThreadOfTheKernelIsNoProcess) {
  const pid_t pid = kernel_thread();
  if (pid == 0) {
    GTEST_SKIP() << "no thread of the kernel is to be seen from here";
  }
  const Outcome outcome = run_pygc({"check", "--pid", std::to_string(pid)});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("process " + std::to_string(pid) +
                                     " is a thread of the kernel: it has no memory of its own"));
}

INSTANTIATE_TEST_SUITE_P(Builds, LivePid, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

TEST(LiveThreads, AreStoppedAllAndRunOn) {
  const RunningScript script({.build = &release_build(), .script = "threads.py", .words = {"40"}});
  const std::string pid = std::to_string(script.pid());
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = run_pygc({"doctor", "--pid", pid, "--json"});
    const json facts = json::parse(outcome.out).at("facts");
    EXPECT_EQ(facts.at("target.threads"), "41") << outcome.out;
    // While it runs, objects come and go: the check is of one moment all the same.
    const Check check = check_process(script.pid());
    EXPECT_EQ(check.document.at("complete"), true) << check.document.dump(1);
    EXPECT_THAT(check.document.at("findings"), IsEmpty()) << check.document.dump(1);
  }
  EXPECT_EQ(status_field(script.pid(), "Threads"), "41");
  EXPECT_EQ(status_field(script.pid(), "TracerPid"), "0");
}

TEST(LiveRefusals, SayWhatIsMissing) {
  const RunningScript script({.build = &release_build(), .script = "heap.py"});
  const std::string pid = std::to_string(script.pid());

  const Outcome gone = run_pygc({"check", "--pid", "4194000"});
  EXPECT_EQ(gone.status, 2);
  EXPECT_THAT(gone.err, HasSubstr("there is no process 4194000"));
  EXPECT_EQ(run_pygc({"check", "--pid", "0"}).status, 2);
  EXPECT_EQ(run_pygc({"check", "--pid", pid, "core"}).status, 2);
  EXPECT_EQ(run_pygc({"snapshot", "--pid", pid}).status, 2);
  const Outcome nowhere = run_pygc({"snapshot", "--pid", pid, "-o", "/nonexistent/core"});
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("cannot write /nonexistent/core"));

  ASSERT_EQ(::ptrace(PTRACE_SEIZE, script.pid(), nullptr, nullptr), 0);
  const Outcome traced = run_pygc({"check", "--pid", pid});
  EXPECT_EQ(traced.status, 2);
  EXPECT_THAT(traced.err, HasSubstr("traced already, by process " + std::to_string(::getpid())));
  ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, script.pid(), nullptr, nullptr), 0);
  ASSERT_EQ(::waitpid(script.pid(), nullptr, __WALL), script.pid());
  ASSERT_EQ(::ptrace(PTRACE_DETACH, script.pid(), nullptr, nullptr), 0);
  EXPECT_EQ(run_pygc({"check", "--pid", pid}).status, 0);
}

TEST(LiveRefusals, NameTheOtherUser) {
  if (::getuid() != 0) {
    GTEST_SKIP() << "only root can run pygc as another user";
  }
  const TempDir directory;
  const std::string program = directory.file("pygc");
  std::filesystem::copy_file(PYGC_BINARY, program);
  std::filesystem::permissions(directory.path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  const RunningScript script({.build = &release_build(), .script = "heap.py"});
  const Outcome outcome = run({.words = {program, "check", "--pid", std::to_string(script.pid())},
                               .cwd = directory.path(),
                               .user = 65534});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("belongs to user 0"));
  EXPECT_THAT(outcome.err, HasSubstr("sudo"));
}

} // namespace
} // namespace pygc::e2e
