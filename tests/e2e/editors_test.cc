// Editors as they talk to the debuggers, by debug adapters and GDB's machine interface, and people
// at a terminal.
#include "tests/e2e/support/adapter.h"
#include "tests/e2e/support/front_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* colour = "\033[";

const Core& core() {
  static const Core one =
      make_core({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  return one;
}

TEST(Editors, LldbDapTakesPygcForACommandByItself) {
  const auto answers = type_in_adapter(
      {.program = {PYGC_LLDB_DAP},
       .request = "attach",
       .arguments = {{"program", core().build->executable},
                     {"coreFile", core().path},
                     {"initCommands", {std::string("plugin load ") + PYGC_LLDB_PLUGIN}}},
       .expressions = {"pygc check", "pygc types --json", "help pygc check", "help pygc"}});
  EXPECT_THAT(answers[0], AllOf(HasSubstr("verdict: findings (1 error)"), Not(HasSubstr(colour))));
  EXPECT_THAT(answers[1], HasSubstr("\"schema\": \"pygc.types/1\""));
  EXPECT_THAT(answers[2], HasSubstr("pygc check [OPTION...]"));
  EXPECT_THAT(answers[3], HasSubstr("pygc-commands"));
}

/// With what an editor puts in for its variables, and the plugin of this build.
json filled_in(json configuration, const Core& core, pid_t pid) {
  for (auto& [name, value] : configuration.items()) {
    if (name == "pid") {
      value = pid;
    } else if (value == "${input:core}") {
      value = core.path;
    } else if (value == "/usr/bin/python3") {
      value = core.build->executable;
    }
  }
  configuration["initCommands"] = {std::string("plugin load ") + PYGC_LLDB_PLUGIN};
  return configuration;
}

TEST(Editors, TheDocumentedConfigurationsWork) {
  const RunningScript heap({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  int tried = 0;
  for (const json& configuration : documented_configurations()) {
    if (configuration.at("type") != "lldb-dap") {
      continue; // an adapter that is no part of a debugger
    }
    const auto answers = type_in_adapter({.program = {PYGC_LLDB_DAP},
                                          .request = configuration.at("request"),
                                          .arguments = filled_in(configuration, core(), heap.pid()),
                                          .expressions = {"pygc check"}});
    EXPECT_THAT(answers[0], HasSubstr("verdict: findings (1 error)")) << configuration;
    tried++;
  }
  EXPECT_EQ(tried, 2);
}

/// GDB on a terminal, the core loaded; the commands, and the end.
Outcome gdb_on_terminal(unsigned columns, const std::vector<std::string>& options,
                        const std::vector<std::string>& commands) {
  std::vector<std::string> words{PYGC_GDB, "-nx", "-q"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"-iex", "set debuginfod enabled off", "-iex", "set height 0", "-ex",
                             std::string("source ") + PYGC_GDB_SCRIPT, core().build->executable,
                             "-core", core().path});
  for (const std::string& command : commands) {
    words.insert(words.end(), {"-ex", command});
  }
  words.insert(words.end(), {"-ex", "quit"});
  return run_on_terminal(columns, words);
}

TEST(Editors, MachineInterfaceHasRecordsWithoutColoursEvenOnATerminal) {
  const std::string said = gdb_on_terminal(100, {"-i=mi3"}, {"pygc check", "pygc types"}).out;
  EXPECT_THAT(said, AllOf(HasSubstr("verdict: findings (1 error)\\n\""), Not(HasSubstr("\\033[")),
                          Not(HasSubstr(colour))));
  for (const std::string& line : split_lines(said)) {
    EXPECT_THAT(line, testing::MatchesRegex("|[0-9]*[-^*+=~@&].*|\\(gdb\\) ?"));
  }
}

TEST(Terminals, GdbShowsColoursWhereItHasThem) {
  const TempDir directory;
  const std::string file = directory.file("said");
  const auto said = [&](const std::vector<std::string>& commands) {
    return gdb_on_terminal(100, {}, commands).out;
  };
  EXPECT_THAT(said({"pygc check"}), HasSubstr(std::string(colour) + "1;31merror"));
  EXPECT_THAT(said({"set style enabled off", "pygc check"}),
              AllOf(HasSubstr("\nerror: unowned_visit"), Not(HasSubstr("31merror"))));
  EXPECT_THAT(said({"pipe pygc check | cat"}), HasSubstr("\nerror: unowned_visit"));
  EXPECT_THAT(said({"python print(repr(gdb.execute('pygc check', to_string=True)))"}),
              HasSubstr("\\nerror: unowned_visit"));
  said({"set logging file " + file, "set logging enabled on", "pygc check"});
  EXPECT_THAT(read_file(file), HasSubstr("\nerror: unowned_visit"));
}

/// What GDB offers for the line that is being typed.
std::vector<std::string> offered(const std::string& line) {
  return split_lines(run_in_gdb({}, {"complete " + line}, {}).out);
}

TEST(Terminals, GdbCompletesCommandsOptionsAndValues) {
  using testing::Contains;
  using testing::ElementsAre;
  EXPECT_THAT(offered("pygc ch"), ElementsAre("pygc check"));
  EXPECT_THAT(offered("pygc check --no-t"), ElementsAre("pygc check --no-trace"));
  EXPECT_THAT(offered("pygc check --deep --no-t"), ElementsAre("pygc check --deep --no-trace"));
  EXPECT_THAT(offered("pygc check -"),
              AllOf(Contains("pygc check --json"), Contains("pygc check -o")));
  EXPECT_THAT(offered("pygc check --engine "),
              testing::UnorderedElementsAre("pygc check --engine native",
                                            "pygc check --engine emulated",
                                            "pygc check --engine both"));
  EXPECT_THAT(offered("pygc check --engine=em"), ElementsAre("pygc check --engine=emulated"));
  EXPECT_THAT(offered("pygc check --output /us"), Contains("pygc check --output /usr"));
  EXPECT_THAT(offered("pygc check /us"), Contains("pygc check /usr"));
}

} // namespace
} // namespace pygc::e2e
