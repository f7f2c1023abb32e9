// The analysis that stays between commands on a core: the same answers, from the same process; a
// new one whenever anything may have changed.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/plugin_target.h"
#include "tests/e2e/support/processes.h"
#include "tests/e2e/support/typed_debugger.h"

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <thread>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class KeptAnalysis : public testing::TestWithParam<Debugger> {
protected:
  static void SetUpTestSuite() {
    clean = std::make_unique<Core>(make_core({.build = &release_build(), .script = "heap.py"}));
    faulty = std::make_unique<Core>(
        make_core({.build = &release_build(), .script = "heap.py", .words = {"twice"}}));
  }
  static void TearDownTestSuite() {
    clean.reset();
    faulty.reset();
  }

  static TypedDebugger debugger_on(const Core& core, const std::vector<std::string>& env = {}) {
    const std::string open = GetParam() == Debugger::gdb ? "core-file " + core.path
                                                         : "target create --core " + core.path +
                                                               " " + core.build->executable;
    std::vector<std::string> first = {open};
    if (GetParam() == Debugger::gdb) {
      first.insert(first.begin(), "file " + core.build->executable);
    }
    return TypedDebugger(GetParam(), first, env);
  }

  /// What the command writes with --output, durations aside.
  std::string output_of(TypedDebugger& debugger, const std::string& command) {
    const std::string file = directory.file("output" + std::to_string(++files_));
    debugger.run("pygc " + command + " --output " + file);
    static const std::regex durations(R"re("(seconds|total|replay)": [0-9.e+-]+)re");
    return std::regex_replace(read_file(file), durations, "\"$1\": 0");
  }
  json document_of(TypedDebugger& debugger, const std::string& command) {
    return parse_document(output_of(debugger, command + " --json"), {});
  }
  /// The process that answers, and how many targets it has opened.
  std::pair<std::string, std::string> state_of(TypedDebugger& debugger) {
    const json facts = document_of(debugger, "doctor").at("facts");
    return {facts.at("analysis.process"), facts.at("analysis.targets_opened")};
  }

  static std::unique_ptr<Core> clean;
  static std::unique_ptr<Core> faulty;
  TempDir directory;

private:
  int files_ = 0;
};

std::unique_ptr<Core> KeptAnalysis::clean;
std::unique_ptr<Core> KeptAnalysis::faulty;

INSTANTIATE_TEST_SUITE_P(Debuggers, KeptAnalysis, testing::Values(Debugger::gdb, Debugger::lldb),
                         [](const auto& param) { return debugger_name(param.param); });

TEST_P(KeptAnalysis, TheSecondTimeTheSameIsSaidByTheSameProcess) {
  const std::string node = clean->printed_value("node");
  const std::vector<std::string> commands = {
      "check",           "check --json",          "object " + node,         "gc-refs",
      "gc-refs --json",  "object --json " + node, "refs --to " + node,      "modules",
      "generations",     "runtime --json",        "gc-refs --generation 0", "audit --json",
      "doctor",          "why " + node,           "check --engine both",    "garbage",
      "check --no-trace"};
  TypedDebugger keeping = debugger_on(*clean);
  TypedDebugger forgetting = debugger_on(*clean, {"PYGC_KEEP_SECONDS=0"});
  keeping.wait();
  std::vector<std::string> first;
  for (const std::string& command : commands) {
    first.push_back(output_of(keeping, command));
    EXPECT_FALSE(first.back().empty()) << command;
  }
  const std::vector<pid_t> analyses = analyses_of(keeping.pid());
  EXPECT_THAT(analyses, SizeIs(1));
  const auto [process, opened] = state_of(keeping);
  EXPECT_EQ(process, std::to_string(analyses.at(0)));
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (commands[i] != "doctor") { // it tells of the process
      EXPECT_EQ(output_of(keeping, commands[i]), first[i]) << commands[i];
      EXPECT_EQ(output_of(forgetting, commands[i]), first[i]) << commands[i];
    }
  }
  EXPECT_EQ(analyses_of(keeping.pid()), analyses);
  EXPECT_THAT(analyses_of(forgetting.pid()), IsEmpty());
  // One more for each change of engine.
  EXPECT_EQ(opened, "3");
  EXPECT_EQ(output_of(keeping, "doctor"), output_of(keeping, "doctor"));
  EXPECT_THAT(keeping.quit().survivors, IsEmpty());
}

TEST_P(KeptAnalysis, WordsOfOneCommandAreNotThoseOfTheNext) {
  TypedDebugger debugger = debugger_on(*clean);
  debugger.wait();
  const json document = document_of(debugger, "check --deep --no-progress");
  EXPECT_EQ(document.at("verdict"), "clean");
  const std::string file = directory.file("output1");
  std::filesystem::remove(file);
  const std::string said = join(debugger.run("pygc check"));
  EXPECT_THAT(said, AllOf(HasSubstr("verdict: clean"), Not(HasSubstr("\"schema\""))));
  EXPECT_FALSE(std::filesystem::exists(file));
  debugger.run("pygc check --nonsense");
  debugger.run("pygc object 1");
  debugger.run("pygc check --runtime 7");
  const json again = document_of(debugger, "check --deep");
  EXPECT_EQ(again.at("findings"), document.at("findings"));
  EXPECT_EQ(again.at("objects"), document.at("objects"));
  EXPECT_EQ(document_of(debugger, "check --engine emulated").at("engine"), "emulated");
  EXPECT_EQ(document_of(debugger, "check").at("engine"), "native");
  EXPECT_THAT(analyses_of(debugger.pid()), SizeIs(1));
  EXPECT_EQ(debugger.quit().signal, 0);
}

TEST_P(KeptAnalysis, AnotherCoreIsAnotherTarget) {
  TypedDebugger debugger = debugger_on(*clean);
  debugger.wait();
  for (const Core* core : {clean.get(), faulty.get(), clean.get()}) {
    debugger.run(debugger.open_core(*core));
    for (int twice = 0; twice < 2; ++twice) {
      const json document = document_of(debugger, "check");
      EXPECT_EQ(document.at("target").at("core"), core->path);
      EXPECT_EQ(document.at("verdict"), core == clean.get() ? "clean" : "findings");
    }
  }
  // A core that is named, whatever the debugger has.
  EXPECT_EQ(document_of(debugger, "check " + faulty->path).at("verdict"), "findings");
  EXPECT_EQ(document_of(debugger, "check " + faulty->path).at("verdict"), "findings");
  EXPECT_EQ(document_of(debugger, "check").at("verdict"), "clean");
  EXPECT_EQ(state_of(debugger).second, "3"); // since the debugger's was selected
  EXPECT_THAT(debugger.quit().survivors, IsEmpty());
}

TEST_P(KeptAnalysis, ACoreThatIsWrittenToIsOpenedAnew) {
  const Core copy = copy_of(*clean);
  const std::uint64_t node = to_address(copy.printed_value("node"));
  TypedDebugger debugger = debugger_on(copy);
  debugger.wait();
  EXPECT_EQ(document_of(debugger, "check").at("verdict"), "clean");
  const CoreFile file(copy.path);
  const std::uint64_t refcount = file.word(node);
  file.set_word(node, 1);
  EXPECT_EQ(findings_of(document_of(debugger, "check " + copy.path), "negative_gc_refs").size(),
            1U);
  file.set_word(node, refcount);
  EXPECT_EQ(document_of(debugger, "check " + copy.path).at("verdict"), "clean");
}

TEST_P(KeptAnalysis, FilesThatComeOrChangeAreSeen) {
  const std::string debug = directory.file("debug");
  const std::string check = "doctor --no-debuginfod --debug-directory " + debug;
  TypedDebugger debugger = debugger_on(*clean);
  debugger.wait();
  const json facts = document_of(debugger, check).at("facts");
  EXPECT_EQ(document_of(debugger, check).at("facts"), facts);
  const std::string id = facts.at("python.build_id");
  std::filesystem::create_directories(debug + "/.build-id/" + id.substr(0, 2));
  std::filesystem::copy_file(facts.at("python.file").get<std::string>(),
                             debug + "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) +
                                 ".debug");
  const json after = document_of(debugger, check).at("facts");
  EXPECT_EQ(after.at("analysis.process"), facts.at("analysis.process"));
  EXPECT_EQ(after.at("analysis.targets_opened"), "2");
}

TEST_P(KeptAnalysis, KilledBetweenCommandsItIsReplacedWithoutAWord) {
  TypedDebugger debugger = debugger_on(*clean);
  debugger.wait();
  const json expected = document_of(debugger, "check");
  for (const int signal : {SIGKILL, SIGSEGV, SIGTERM}) {
    const auto before = analyses_of(debugger.pid());
    ASSERT_THAT(before, SizeIs(1));
    ASSERT_EQ(::kill(before.front(), signal), 0);
    EXPECT_TRUE(process_ends(before.front()));
    const std::string said = join(debugger.run("pygc check"));
    EXPECT_THAT(said, AllOf(HasSubstr("verdict: clean"), Not(HasSubstr("pygc: ")),
                            Not(HasSubstr("error: "))));
    expect_same_check(document_of(debugger, "check"), expected);
    const auto after = analyses_of(debugger.pid());
    EXPECT_THAT(after, SizeIs(1));
    EXPECT_NE(after, before);
  }
  const Outcome outcome = debugger.quit();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.survivors, IsEmpty());
}

TEST_P(KeptAnalysis, EndsWithTheDebugger) {
  for (const bool killed : {false, true}) {
    TypedDebugger debugger = debugger_on(*clean);
    debugger.wait();
    document_of(debugger, "object " + clean->printed_value("node"));
    const auto analyses = analyses_of(debugger.pid());
    ASSERT_THAT(analyses, SizeIs(1));
    const auto begin = std::chrono::steady_clock::now();
    if (killed) {
      debugger.send(SIGKILL);
    } else {
      debugger.type("quit");
    }
    EXPECT_TRUE(process_ends(analyses.front()));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(taken.count(), 20); // it does not wait for its time to be over
    EXPECT_THAT(debugger.wait_for_end().survivors, IsEmpty());
  }
}

TEST_P(KeptAnalysis, EndsWhenItsTimeIsOver) {
  TypedDebugger debugger = debugger_on(*clean, {"PYGC_KEEP_SECONDS=1"});
  debugger.wait();
  document_of(debugger, "check");
  for (const pid_t analysis : analyses_of(debugger.pid())) {
    EXPECT_TRUE(process_ends(analysis));
  }
  EXPECT_EQ(document_of(debugger, "check").at("verdict"), "clean");
}

TEST_P(KeptAnalysis, InterruptedItIsReplaced) {
  TypedDebugger debugger = debugger_on(*clean);
  debugger.wait();
  const json expected = document_of(debugger, "check --deep");
  const auto before = analyses_of(debugger.pid());
  ASSERT_THAT(before, SizeIs(1));
  // Stopped, it does not take the command, and the user grows impatient.
  ASSERT_EQ(::kill(before.front(), SIGSTOP), 0);
  debugger.type("pygc check");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  debugger.send(SIGINT);
  debugger.wait();
  EXPECT_TRUE(process_ends(before.front()));
  expect_same_check(document_of(debugger, "check --deep"), expected);
  EXPECT_THAT(analyses_of(debugger.pid()), SizeIs(1));
}

// A process may have changed whenever the debugger takes a command.
TEST_P(KeptAnalysis, OfAProcessNothingIsKept) {
  const RunningScript heap({.build = &release_build(), .script = "heap.py"});
  std::uint64_t node = 0;
  for (const std::string& line : heap.printed()) {
    if (line.starts_with("node ")) {
      node = to_address(line.substr(5));
    }
  }
  TypedDebugger debugger(GetParam(), {"pygc check " + clean->path});
  debugger.wait();
  EXPECT_THAT(analyses_of(debugger.pid()), SizeIs(1));
  debugger.run(debugger.attach(heap.pid()));
  const json before = document_of(debugger, "check");
  EXPECT_EQ(before.at("target").at("pid"), heap.pid());
  EXPECT_EQ(before.at("verdict"), "clean");
  EXPECT_THAT(analyses_of(debugger.pid()), IsEmpty());
  const json facts = document_of(debugger, "object " + std::to_string(node));
  const std::uint64_t refcount = facts.at("object").at("refcount").get<std::uint64_t>();
  for (int times = 0; times < 3; ++times) {
    debugger.run(debugger.write_word(node, 1));
    const json changed = document_of(debugger, "check");
    const auto findings = findings_of(changed, "negative_gc_refs");
    ASSERT_EQ(findings.size(), 1U) << changed.dump(1);
    EXPECT_EQ(to_address(findings.front().at("object").at("address").get<std::string>()), node);
    EXPECT_EQ(document_of(debugger, "object " + std::to_string(node)).at("object").at("refcount"),
              1);
    debugger.run(debugger.write_word(node, refcount));
    expect_same_check(document_of(debugger, "check"), before);
    EXPECT_EQ(document_of(debugger, "object " + std::to_string(node)), facts);
  }
  debugger.run(GetParam() == Debugger::gdb ? "detach" : "process detach");
  EXPECT_THAT(debugger.quit().survivors, IsEmpty());
  EXPECT_TRUE(runs_freely(heap.pid()));
}

// GDB evaluates between two runs of the command; the first one only learns that it is to be
// repeated.
TEST(KeptAnalysisInGdb, SurvivesExpressionsAndUnloading) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py"});
  const TempDir directory;
  TypedDebugger gdb(Debugger::gdb, {"file " + core.build->executable, "core-file " + core.path,
                                    "set $node = " + core.printed_value("node")});
  gdb.wait();
  const auto object = [&](const std::string& file) {
    gdb.run("pygc object $node --json --output " + file);
    return parse_document(read_file(file), {});
  };
  const json first = object(directory.file("first"));
  const auto analyses = analyses_of(gdb.pid());
  EXPECT_THAT(analyses, SizeIs(1));
  EXPECT_EQ(object(directory.file("second")), first);
  EXPECT_EQ(analyses_of(gdb.pid()), analyses);
  // An error of GDB's ends the command, not the analysis; a file stays as it was.
  gdb.run("pygc object nosuch --json --output " + directory.file("first"));
  EXPECT_EQ(parse_document(read_file(directory.file("first")), {}), first);
  EXPECT_EQ(analyses_of(gdb.pid()), analyses);
  // Names of files are from where GDB is.
  const TempDir elsewhere;
  gdb.run("cd " + elsewhere.path().string());
  gdb.run("pygc object $node --json --output here");
  EXPECT_EQ(parse_document(read_file(elsewhere.file("here")), {}), first);
  gdb.run("jit-reader-unload");
  EXPECT_THAT(analyses_of(gdb.pid()), IsEmpty());
  gdb.run(std::string("source ") + PYGC_GDB_SCRIPT);
  EXPECT_EQ(object(directory.file("third")), first);
  EXPECT_THAT(gdb.quit().survivors, IsEmpty());
}

} // namespace
} // namespace pygc::e2e
