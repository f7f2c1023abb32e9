// Situations that people reported, in the debuggers: of each core, and of the process where it
// stops, they give what pygc gives alone. It is the same program that answers
// (docs/architecture.md), so one build of each kind, release and debug, stands for all here;
// matrix_reported_test.cc has them all, alone.
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/live.h"
#include "tests/e2e/support/processes.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

const std::vector<std::string>& cases() {
  static const std::vector<std::string> names = {
      "overdecref",    "overdecref_crash",    "track_twice", "double_track",
      "freed_tracked", "freed_tracked_reuse", "type_freed",  "undercount_local",
      "half_tuple",    "untrack_dealloc",     "early_track", "null_callback",
      "null_state",    "type_leak",           "type_twice",  "finalizer",
      "stale_subclass"};
  return names;
}

/// Kinds and objects of the findings: addresses differ from process to process.
std::string told_of(const json& document) {
  std::string told = document.at("verdict").get<std::string>();
  for (const json& finding : document.at("findings")) {
    const json object = finding.value("object", json());
    told += "; " + finding.at("severity").get<std::string>() + " " +
            finding.at("kind").get<std::string>() + " " +
            (object.is_null() ? std::string("-") : object.at("type").get<std::string>());
  }
  return told;
}

class ReportedInDebuggers
    : public testing::TestWithParam<std::tuple<const InterpreterBuild*, Debugger>> {
protected:
  static const InterpreterBuild& build() { return *std::get<0>(GetParam()); }
  static Debugger debugger() { return std::get<1>(GetParam()); }
  static bool gdb() { return debugger() == Debugger::gdb; }

  ReportedInDebuggers()
      : extensions(build_extensions(build(), {"overdecref_item", "track_twice", "double_track",
                                              "freed_tracked", "type_freed", "undercount_local",
                                              "untrack_dealloc", "early_track", "null_callback",
                                              "null_state", "type_leak", "type_twice"})) {
    for (const std::string& name : cases()) {
      cores.push_back(make_core({.build = &build(),
                                 .script = "reported.py",
                                 .words = {extensions, name},
                                 .kind = CoreKind::kernel}));
      alone.push_back(check_alone(cores.back()).document);
    }
  }

  std::string document_of(std::size_t i) const { return directory.file(cases()[i] + ".json"); }
  std::string check_into(std::size_t i) const {
    const std::string command = "pygc check --json --output " + document_of(i);
    // LLDB's batch ends at a command that fails.
    return gdb() ? command : "script lldb.debugger.HandleCommand('" + command + "')";
  }

  void check_cores() const {
    Commands commands;
    for (std::size_t i = 0; i < cores.size(); ++i) {
      commands.push_back(gdb()
                             ? "core-file " + cores[i].path
                             : "target create --core " + cores[i].path + " " + build().executable);
      commands.push_back(check_into(i));
    }
    const Outcome outcome =
        run_in(debugger(), {.executable = build().executable, .core = {}}, commands);
    for (std::size_t i = 0; i < cores.size(); ++i) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, cases()[i]);
      const json document = parse_document(read_file(document_of(i)), outcome);
      expect_same_check(document, alone[i]);
      EXPECT_EQ(document.at("crash"), alone[i].at("crash"));
    }
  }

  /// Stopped at the signal that would have left the core.
  void check_processes() const {
    Commands commands = {"set confirm off", "set print inferior-events off"};
    if (!gdb()) {
      commands = {"settings set auto-confirm true"};
    }
    for (std::size_t i = 0; i < cores.size(); ++i) {
      const std::string words =
          script_path("reported.py") + " " + extensions + " " + cases()[i] + " abort";
      commands.push_back(gdb() ? "run " + words
                               : "script lldb.debugger.HandleCommand('process launch -- " + words +
                                     "')");
      commands.push_back(check_into(i));
      commands.emplace_back(gdb() ? "kill" : "script lldb.debugger.HandleCommand('process kill')");
    }
    const Outcome outcome =
        run_in(debugger(), {.executable = build().executable, .core = {}}, commands);
    for (std::size_t i = 0; i < cores.size(); ++i) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, cases()[i]);
      const json document = parse_document(read_file(document_of(i)), outcome);
      EXPECT_EQ(document.at("target").at("kind"), "live");
      EXPECT_EQ(told_of(document), told_of(alone[i])) << document.dump(1);
      for (const char* what : {"signal", "doing", "function", "caller", "stack"}) {
        EXPECT_EQ(document.at("crash").at(what), alone[i].at("crash").at(what)) << what;
      }
    }
  }

  std::string extensions;
  TempDir directory;
  std::vector<Core> cores;
  std::vector<json> alone;
};

/// All in one session: a debugger takes longer to start than pygc to answer.
TEST_P(ReportedInDebuggers, TellOfCoresAndOfProcessesWhatPygcTellsAlone) {
  check_cores();
  check_processes();
}

INSTANTIATE_TEST_SUITE_P(Builds, ReportedInDebuggers,
                         testing::Combine(testing::Values(&release_build(), &debug_build()),
                                          testing::Values(Debugger::gdb, Debugger::lldb)),
                         [](const auto& of) {
                           return std::get<0>(of.param)->name + "_" +
                                  debugger_name(std::get<1>(of.param));
                         });

} // namespace
} // namespace pygc::e2e
