// One binary of each plugin in every GDB and LLDB that tools/matrix.sh has got: on a core, on a
// running process and on a remote one the debuggers give what pygc gives alone.
#include "tests/e2e/support/adapter.h"
#include "tests/e2e/support/processes.h"

#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

struct MatrixDebugger {
  std::string name; // "sid-lldb-23"
  std::string version;
  std::string program;

  bool is_gdb() const { return name.contains("-gdb"); }
  bool has_python() const { return !name.ends_with("-minimal"); }
  int major() const { return std::stoi(version); }
  /// LLDB 21.1.8 waits for itself for ever when it loads the modules of a core in parallel, also
  /// without pygc.
  bool hangs_in_parallel() const { return !is_gdb() && major() == 21; }
  Outcome run(DebuggerTarget target, Commands commands) const {
    target.debugger = program;
    if (is_gdb()) {
      return run_in_gdb(target, commands);
    }
    if (hangs_in_parallel()) {
      const std::string core = target.core.empty() ? "" : " --core " + target.core;
      commands.insert(commands.begin(), {"settings set target.parallel-module-load false",
                                         "target create " + target.executable + core});
      target.executable.clear();
      target.core.clear();
    }
    return run_in_lldb(target, commands);
  }
};

const std::vector<MatrixDebugger>& debuggers() {
  static const std::vector<MatrixDebugger> all = [] {
    std::vector<MatrixDebugger> found;
    for (const auto& line :
         split_lines(run({.words = {PYGC_MATRIX_SCRIPT, "--list-debuggers"}}).out)) {
      std::istringstream words(line);
      MatrixDebugger it;
      if (words >> it.name >> it.version >> it.program) {
        found.push_back(it);
      }
    }
    if (found.empty()) {
      throw std::runtime_error("the matrix has no debugger: run tools/matrix.sh --debuggers");
    }
    return found;
  }();
  return all;
}

void for_each_debugger(const std::string& name_of_case,
                       const std::function<std::string(const MatrixDebugger&)>& examine) {
  for (const MatrixDebugger& debugger : debuggers()) {
    const std::string heading =
        "matrix: " + debugger.name + " " + debugger.version + " " + name_of_case + ": ";
    const testing::ScopedTrace trace(__FILE__, __LINE__, heading);
    try {
      std::printf("%s%s%s\n", heading.c_str(), examine(debugger).c_str(),
                  debugger.hangs_in_parallel() ? " (parallel-module-load off: hangs without)" : "");
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
      std::printf("%sfailed\n", heading.c_str());
    }
    std::fflush(stdout);
  }
}

/// `pygc check` after the commands, in the debugger.
json check_in(const MatrixDebugger& debugger, const DebuggerTarget& target, Commands commands,
              const Commands& after = {}) {
  const TempDir directory;
  const std::string file = directory.file("check");
  commands.push_back("pygc check --json --output " + file);
  commands.insert(commands.end(), after.begin(), after.end());
  const Outcome outcome = debugger.run(target, commands);
  // Nothing of pygc's own, neither at load nor later.
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("pygc: "))) << outcome.out << outcome.err;
  return parse_document(read_file(file), outcome);
}

std::string described(const json& document) {
  return document.at("verdict").get<std::string>() + ", " +
         std::to_string(document.at("findings").size()) + " findings, " +
         document.at("objects").at("walked").dump() + " objects, " +
         document.at("target").at("kind").get<std::string>();
}

TEST(MatrixDebuggers, ThereAreSeveralMajors) {
  std::vector<int> gdbs;
  std::vector<int> lldbs;
  for (const MatrixDebugger& debugger : debuggers()) {
    (debugger.is_gdb() ? gdbs : lldbs).push_back(debugger.major());
  }
  EXPECT_THAT(gdbs, testing::IsSupersetOf({10, 13, 16}));
  EXPECT_THAT(lldbs, testing::IsSupersetOf({13, 14, 15, 16, 19, 21, 22, 23}));
}

TEST(MatrixDebuggers, OnACoreGiveWhatPygcGivesAlone) {
  const RunningScript heap({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  const Core core = core_of(heap, release_build());
  const json expected = check_alone(core).document;
  EXPECT_EQ(findings_of(expected, "unowned_visit").size(), 1U);
  for_each_debugger("core", [&](const MatrixDebugger& debugger) {
    const json document = check_in(debugger, target_of(core), {});
    expect_same_check(document, expected);
    EXPECT_EQ(document.at("target").at("kind"), "core");
    return described(document);
  });
}

TEST(MatrixDebuggers, AttachedGiveWhatPygcGivesAlone) {
  const RunningScript heap({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  const json expected = check_process(heap.pid()).document;
  EXPECT_EQ(findings_of(expected, "unowned_visit").size(), 1U);
  for_each_debugger("attached", [&](const MatrixDebugger& debugger) {
    const std::string pid = std::to_string(heap.pid());
    const json document =
        check_in(debugger, {.executable = release_build().executable, .core = {}},
                 {(debugger.is_gdb() ? "attach " : "process attach --pid ") + pid});
    expect_same_check(document, expected);
    EXPECT_EQ(document.at("target").at("kind"), "live");
    EXPECT_EQ(document.at("target").at("pid"), heap.pid());
    EXPECT_TRUE(runs_freely(heap.pid()));
    return described(document);
  });
}

TEST(MatrixDebuggers, RemoteGiveWhatPygcGivesAlone) {
  const RunningScript heap({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  const std::string pid = std::to_string(heap.pid());
  const json expected = check_process(heap.pid()).document;
  for_each_debugger("remote", [&](const MatrixDebugger& debugger) {
    const DebuggerTarget target{.executable = release_build().executable, .core = {}};
    json document;
    if (debugger.is_gdb()) {
      const Gdbserver server({"--once", "--attach", "PORT", pid});
      document = check_in(debugger, target, server.connect("remote"), {"detach"});
      EXPECT_EQ(document.at("target").at("kind"), "remote");
    } else {
      const std::string address = "127.0.0.1:" + std::to_string(free_port());
      const Child server({.words = {PYGC_LLDB_SERVER, "gdbserver", "--attach", pid, address}});
      // LLDB tries for five seconds. The process is one of this machine, and found to be so.
      document = check_in(debugger, target, {"gdb-remote " + address}, {"process detach"});
      EXPECT_EQ(document.at("target").at("kind"), "live");
    }
    EXPECT_EQ(document.at("target").at("pid"), heap.pid());
    expect_same_check(document, expected);
    EXPECT_TRUE(runs_freely(heap.pid()));
    return described(document);
  });
}

TEST(MatrixDebuggers, GdbsCompleteOptionsWhereTheyHavePython) {
  for_each_debugger("completion", [](const MatrixDebugger& debugger) -> std::string {
    if (!debugger.is_gdb()) {
      return "not asked: LLDB completes the names of a plugin's commands only";
    }
    const std::string names = debugger.run({}, {"complete pygc ch"}).out;
    EXPECT_EQ(names, "pygc check\n");
    const std::string options = debugger.run({}, {"complete pygc check --no-t"}).out;
    EXPECT_EQ(options, debugger.has_python() ? "pygc check --no-trace\n" : "");
    return debugger.has_python() ? "commands and options" : "commands";
  });
}

// "gdb --interpreter=dap" is there since GDB 14, with Python.
TEST(MatrixDebuggers, GdbsServeEditorsByDap) {
  const RunningScript heap({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  for_each_debugger("dap", [&](const MatrixDebugger& debugger) -> std::string {
    if (!debugger.is_gdb() ||
        run({.words = {debugger.program, "-nx", "-batch", "-ex", "python import gdb.dap"}}).err !=
            "") {
      return "has no DAP of GDB's";
    }
    const auto answers = type_in_adapter(
        {.program = {debugger.program, "-nx", "-i=dap", "-iex", "set debuginfod enabled off",
                     "-iex", std::string("source ") + PYGC_GDB_SCRIPT},
         .request = "attach",
         .arguments = {{"pid", heap.pid()}, {"program", release_build().executable}},
         .expressions = {"pygc check", "pygc check --deep --json"}});
    EXPECT_THAT(answers[0], HasSubstr("verdict: findings (1 error)"));
    const json document = json::parse(answers[1]);
    EXPECT_EQ(document.at("target").at("kind"), "live");
    EXPECT_TRUE(runs_freely(heap.pid()));
    return described(document);
  });
}

// GDB 10 keeps no /proc/PID/mem open: of several processes, too, the selected one must be found.
TEST(MatrixDebuggers, GdbsFindTheSelectedOfTwoProcesses) {
  const RunningScript one({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  const RunningScript two({.build = &release_build(), .script = "heap.py", .words = {"once"}});
  for_each_debugger("two processes", [&](const MatrixDebugger& debugger) -> std::string {
    if (!debugger.is_gdb()) {
      return "not asked: LLDB names the process of the selected target";
    }
    const json document =
        check_in(debugger, {.executable = release_build().executable, .core = {}},
                 {"attach " + std::to_string(one.pid()), "add-inferior", "inferior 2",
                  "attach " + std::to_string(two.pid()), "inferior 1"});
    EXPECT_EQ(document.at("target").at("pid"), one.pid());
    EXPECT_EQ(document.at("target").at("kind"), "live");
    EXPECT_EQ(findings_of(document, "unowned_visit").size(), 1U);
    return described(document);
  });
}

} // namespace
} // namespace pygc::e2e
