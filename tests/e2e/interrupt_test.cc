// Ctrl-C at random moments: pygc stops at once, nothing stays behind, the debugger goes on and the
// next command is right. And progress: shown to people only.
#include "tests/e2e/support/left_behind.h"
#include "tests/e2e/support/processes.h"
#include "tests/e2e/support/typed_debugger.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <thread>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::IsEmpty;

constexpr int interruptions = 20;
// Some come before the command has begun and some when it is done; those within it have to be this
// many, and are tried for this often. How long the command takes differs by machine.
constexpr int interruptions_within = 5;
constexpr int attempts = 10 * interruptions;
constexpr std::chrono::seconds patience{60};
// What the interrupted command may take to end.
constexpr double at_once = 2.5;

CoreRequest large_heap() {
  return {.build = &release_build(),
          .script = std::string(PYGC_E2E_DIR) + "/../bench/bigheap.py",
          .words = {"300000", "1"}};
}

class Interrupt : public testing::Test {
protected:
  static void SetUpTestSuite() {
    script = std::make_unique<RunningScript>(large_heap());
    core = std::make_unique<Core>(core_of(*script, release_build()));
    expected = std::make_unique<Check>(check_alone(*core)); // the caches are warm from here on
  }
  static void TearDownTestSuite() {
    expected.reset();
    core.reset();
    script.reset();
  }

  static bool goes_on(int attempt, int interrupted) {
    return attempt < interruptions || (interrupted < interruptions_within && attempt < attempts);
  }

  /// Within what the command takes, and a little more.
  void sleep_a_while() {
    std::uniform_real_distribution<double> seconds(0, 1.2 * expected->outcome.seconds);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds(random_)));
  }

  /// Runs the command and interrupts it; true when it was not done yet.
  bool interrupt_alone(const std::vector<std::string>& words) {
    const TempDir working;
    const TempDir temporary;
    Command command{.words = {PYGC_BINARY},
                    .env = {"TMPDIR=" + temporary.path().string()},
                    .cwd = working.path().string()};
    command.words.insert(command.words.end(), words.begin(), words.end());
    Child child(command);
    sleep_a_while();
    const auto asked = std::chrono::steady_clock::now();
    child.send(SIGINT);
    const Outcome outcome = child.wait(patience);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - asked;
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_LT(taken.count(), at_once + expected->outcome.seconds);
    EXPECT_THAT(outcome.survivors, IsEmpty());
    for (const TempDir* directory : {&working, &temporary}) {
      for (const auto& entry : std::filesystem::directory_iterator(directory->path())) {
        // What is there is whole.
        EXPECT_EQ(entry.path().filename(), "result") << entry.path();
        EXPECT_EQ(outcome.status, 0) << outcome.err;
      }
    }
    if (outcome.signal == SIGINT) {
      return true; // before it had set its handlers
    }
    EXPECT_TRUE(outcome.status == 0 || outcome.err.ends_with("pygc: interrupted\n"))
        << outcome.status << " " << outcome.signal << " " << outcome.err;
    return outcome.status != 0;
  }

  static std::unique_ptr<RunningScript> script;
  static std::unique_ptr<Core> core;
  static std::unique_ptr<Check> expected;

private:
  std::mt19937 random_{20240607};
};

std::unique_ptr<RunningScript> Interrupt::script;
std::unique_ptr<Core> Interrupt::core;
std::unique_ptr<Check> Interrupt::expected;

TEST_F(Interrupt, Alone) {
  int interrupted = 0;
  for (int i = 0; goes_on(i, interrupted); ++i) {
    interrupted += interrupt_alone({"check", core->path, "--output", "result"}) ? 1 : 0;
  }
  EXPECT_GE(interrupted, interruptions_within);
}

TEST_F(Interrupt, AloneOnAProcess) {
  const std::string pid = std::to_string(script->pid());
  int interrupted = 0;
  for (int i = 0; goes_on(i, interrupted); ++i) {
    const bool snapshot = i % 2 == 0;
    interrupted +=
        interrupt_alone({snapshot ? "snapshot" : "check", "--pid", pid, "--output", "result"}) ? 1
                                                                                               : 0;
    EXPECT_TRUE(runs_freely(script->pid()));
  }
  EXPECT_GE(interrupted, interruptions_within);
  expect_same_check(check_process(script->pid()).document, expected->document);
}

class InterruptInDebuggers : public Interrupt {
protected:
  void interrupt_often(TypedDebugger& session, const std::string& kind) {
    const TempDir directory;
    int interrupted = 0;
    for (int i = 0; goes_on(i, interrupted); ++i) {
      const std::string file = directory.file("check" + std::to_string(i));
      session.type("pygc check --json --output " + file);
      // A debugger's prompt has its own idea of Ctrl-C: within the command only.
      std::uniform_real_distribution<double> seconds(0, 0.6 * expected->outcome.seconds);
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds(random_)));
      session.send(SIGINT);
      session.wait();
      if (!std::filesystem::exists(file)) {
        ++interrupted; // by the debugger, before pygc could say so
        continue;
      }
      const json document = parse_document(read_file(file), {});
      if (document.at("schema") == "pygc.error/1") {
        EXPECT_EQ(document.at("kind"), "cancelled") << document.dump(1);
        ++interrupted;
      }
    }
    EXPECT_GE(interrupted, interruptions_within);
    const std::string last = directory.file("last");
    session.type("pygc check --json --output " + last);
    session.wait();
    const json document = parse_document(read_file(last), {});
    EXPECT_EQ(document.at("target").at("kind"), kind);
    expect_same_check(document, expected->document);
  }

  static std::string attach() { return std::to_string(script->pid()); }

private:
  std::mt19937 random_{7};
};

TEST_F(InterruptInDebuggers, GdbGoesOn) {
  TypedDebugger gdb(Debugger::gdb, {"core-file " + core->path});
  gdb.wait();
  interrupt_often(gdb, "core");
  gdb.type("attach " + attach());
  gdb.wait();
  interrupt_often(gdb, "live");
  gdb.type("detach");
  const Gdbserver server({"--once", "--attach", "PORT", attach()});
  for (const std::string& command : server.connect("remote")) {
    gdb.type(command);
  }
  gdb.wait();
  interrupt_often(gdb, "remote");
  gdb.type("detach");
  const Outcome outcome = gdb.quit();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.survivors, IsEmpty());
  EXPECT_TRUE(runs_freely(script->pid()));
}

TEST_F(InterruptInDebuggers, LldbGoesOn) {
  TypedDebugger lldb(Debugger::lldb,
                     {"target create --core " + core->path + " " + core->build->executable});
  lldb.wait();
  interrupt_often(lldb, "core");
  lldb.type("target create " + core->build->executable);
  lldb.type("process attach --pid " + attach());
  lldb.wait();
  interrupt_often(lldb, "live");
  lldb.type("process detach");
  const Outcome outcome = lldb.quit();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.survivors, IsEmpty());
  EXPECT_TRUE(runs_freely(script->pid()));
}

/// pygc lets the process run, and it does not come to where it was to go.
void interrupt_the_running_process(TypedDebugger& session, const std::string& list_breakpoints) {
  const TempDir directory;
  const std::string file = directory.file("step");
  session.type("pygc step arm --json --output " + file);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_FALSE(std::filesystem::exists(file));
  session.send(SIGINT);
  session.wait();
  ASSERT_TRUE(std::filesystem::exists(file));
  EXPECT_EQ(parse_document(read_file(file), {}).at("reached"), false);
  session.type(list_breakpoints);
  const auto lines = session.wait();
  EXPECT_THAT(lines, testing::Contains(testing::HasSubstr("No breakpoints")));
}

TEST_F(InterruptInDebuggers, AProcessThatPygcLetsRunStops) {
  {
    TypedDebugger gdb(Debugger::gdb, {"attach " + attach()});
    gdb.wait();
    interrupt_the_running_process(gdb, "info breakpoints");
    EXPECT_EQ(gdb.quit().status, 0);
  }
  EXPECT_TRUE(runs_freely(script->pid()));
  TypedDebugger lldb(Debugger::lldb, {"process attach --pid " + attach()});
  lldb.wait();
  interrupt_the_running_process(lldb, "breakpoint list");
  lldb.type("process detach");
  EXPECT_EQ(lldb.quit().status, 0);
  EXPECT_TRUE(runs_freely(script->pid()));
}

TEST_F(Interrupt, ProgressIsForPeopleOrWhoeverAsks) {
  // Made to take more than a second, by stopping it meanwhile.
  const auto said = [&](const std::vector<std::string>& options) {
    std::vector<std::string> words = {PYGC_BINARY, "check", core->path};
    words.insert(words.end(), options.begin(), options.end());
    Child child(Command{.words = words});
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    child.send(SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    child.send(SIGCONT);
    const Outcome outcome = child.wait(patience);
    EXPECT_EQ(outcome.status, 0);
    return outcome.err;
  };
  EXPECT_THAT(said({"--progress"}), testing::ContainsRegex("^pygc: [a-z ]+ \\([12] s\\)\n"));
  EXPECT_EQ(said({}), ""); // no terminal
  EXPECT_EQ(said({"--json"}), "");
  EXPECT_EQ(said({"--no-progress"}), "");
}

TEST_F(Interrupt, ProgressIsShownOnATerminal) {
  const auto shown = [&](const std::string& options) {
    const std::string commands =
        std::string(PYGC_BINARY) + " check " + core->path + options +
        " & P=$!; sleep 0.05; kill -STOP $P; sleep 1.2; kill -CONT $P; wait";
    return run({.words = {"script", "-qec", commands, "/dev/null"}}).out;
  };
  const std::string by_default = shown("");
  EXPECT_THAT(by_default, testing::ContainsRegex("\rpygc: [a-z ]+ \\([12] s\\)"));
  EXPECT_THAT(by_default, testing::HasSubstr("verdict: "));
  const std::string unwanted = shown(" --no-progress");
  EXPECT_THAT(unwanted, testing::Not(testing::ContainsRegex("pygc: [a-z ]+ \\([12] s\\)")));
  EXPECT_THAT(unwanted, testing::HasSubstr("verdict: "));
}

} // namespace
} // namespace pygc::e2e
