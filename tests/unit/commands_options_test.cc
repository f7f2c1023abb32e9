// The commands that have registered: their options, as CLI11 sees them, and their texts.
#include "common/commands/registry.h"
#include "common/protocol/wire_commands.h"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

namespace pygc::commands {
namespace {

// CLI11 2.4 refuses a positional argument "object" beside an option "--object"; older ones don't.
TEST(Options, NoTwoOfACommandHaveOneName) {
  for (const Entry& entry : registered_commands()) {
    CLI::App app;
    entry.make()->declare(app);
    std::set<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      std::vector<std::string> own = option->get_lnames();
      own.insert(own.end(), option->get_snames().begin(), option->get_snames().end());
      if (option->get_positional()) {
        own.push_back(option->get_name(true));
      }
      for (const std::string& name : own) {
        EXPECT_TRUE(names.insert(name).second) << entry.name << ": " << name;
      }
    }
    EXPECT_FALSE(names.empty()) << entry.name;
  }
}

TEST(Commands, HaveNamesAndPlacesOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<int> places;
  for (const Entry& entry : registered_commands()) {
    EXPECT_TRUE(wire::is_command_name(entry.name)) << entry.name;
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_TRUE(places.insert(entry.place).second) << entry.name;
  }
  EXPECT_TRUE(names.contains("check"));
  EXPECT_TRUE(names.contains("doctor"));
}

// GDB's help, LLDB's help and the option parser all show them as they stand.
TEST(Commands, TextsFitAHelpPage) {
  for (const Entry& entry : registered_commands()) {
    EXPECT_FALSE(entry.summary.ends_with('.') || entry.summary.contains('\n')) << entry.summary;
    std::string line;
    for (const char c : std::string(entry.help) + '\n') {
      // "end" alone would end GDB's "document".
      EXPECT_FALSE(c == '\n' && line == "end") << entry.name;
      if (c == '\n') {
        line.clear();
      } else {
        line += c;
      }
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

} // namespace
} // namespace pygc::commands
