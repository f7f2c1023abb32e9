// The options of all commands, as CLI11 sees them.
#include "common/commands/command.h"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

namespace pygc::commands {
namespace {

// CLI11 2.4 refuses a positional argument "object" beside an option "--object"; older ones don't.
TEST(Options, NoTwoOfACommandHaveOneName) {
  for (const auto& command : all_commands()) {
    CLI::App app;
    command->declare(app);
    std::set<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      std::vector<std::string> own = option->get_lnames();
      own.insert(own.end(), option->get_snames().begin(), option->get_snames().end());
      if (option->get_positional()) {
        own.push_back(option->get_name(true));
      }
      for (const std::string& name : own) {
        EXPECT_TRUE(names.insert(name).second) << command->name() << ": " << name;
      }
    }
    EXPECT_FALSE(names.empty()) << command->name();
  }
}

} // namespace
} // namespace pygc::commands
