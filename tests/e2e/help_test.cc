// The examples in the commands' help: each does what it says, on a core of
// tests/e2e/scripts/app.py.
#include "tests/e2e/support/front_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace pygc::e2e {
namespace {

using testing::AnyOf;

constexpr std::string_view example_address = "0x7f52a554c040";

/// The lines below "Examples:" as a shell takes them, without the remarks behind some.
std::vector<std::string> examples_of(const std::string& command) {
  std::vector<std::string> examples;
  bool found = false;
  for (const std::string& line : split_lines(run_pygc({command, "--help"}).out)) {
    found = found || line == "Examples:";
    if (found && line.starts_with("  pygc " + command)) {
      examples.push_back(line.substr(2, line.find("  (", 2) - 2));
    }
  }
  return examples;
}

class HelpTest : public testing::TestWithParam<std::string> {
protected:
  static const Core& core() {
    static const Core core = make_core({.build = &release_build(), .script = "app.py"});
    return core;
  }
};

TEST_P(HelpTest, HasExamplesThatWork) {
  const std::vector<std::string> examples = examples_of(GetParam());
  ASSERT_FALSE(examples.empty());
  for (std::string example : examples) {
    if (example.contains("--pid")) {
      continue; // of a running process
    }
    example.replace(0, 4, "\"$0\"");
    if (const auto at = example.find(example_address); at != std::string::npos) {
      example.replace(at, example_address.size(),
                      to_hex(to_address(core().printed_value("session"))));
    }
    const bool documents = example.contains("--json") && !example.contains("--output");
    bool whole = example.contains("--help");
    for (const std::string_view core_file : {"core.old", "core.new"}) {
      if (const auto at = example.find(core_file); at != std::string::npos) {
        example.replace(at, core_file.size(), "\"$1\"");
        whole = true;
      }
    }
    if (!whole) {
      example += " \"$1\"";
    }
    const TempDir directory;
    const Outcome outcome = run({.words = {"bash", "-c", "cd \"$2\" && " + example, PYGC_BINARY,
                                           core().path, directory.path()}});
    EXPECT_THAT(outcome.status, AnyOf(0, 1)) << example << '\n' << outcome.out << outcome.err;
    EXPECT_FALSE(outcome.out.empty() && !example.contains("--output")) << example;
    if (documents) {
      parse_document(outcome.out, outcome);
    }
  }
}

// Those of the others are about running processes, or change what is installed.
INSTANTIATE_TEST_SUITE_P(Commands, HelpTest,
                         testing::Values("audit", "diff", "doctor", "dominators", "find", "garbage",
                                         "gc-refs", "generations", "leaks", "modules", "object",
                                         "refs", "runtime", "types", "why"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

} // namespace
} // namespace pygc::e2e
