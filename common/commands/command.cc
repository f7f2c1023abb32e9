#include "common/commands/command.h"

#include "common/commands/audit_command.h"
#include "common/commands/check_command.h"
#include "common/commands/doctor_command.h"
#include "common/commands/gc_refs_command.h"
#include "common/commands/generations_command.h"
#include "common/commands/help_formatter.h"
#include "common/commands/layout_command.h"
#include "common/commands/modules_command.h"
#include "common/commands/runtime_command.h"
#include "common/commands/snapshot_command.h"
#include "common/commands/step_command.h"
#include "common/commands/version_command.h"
#include "common/commands/watch_command.h"
#include "common/target/wire_commands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sstream>

namespace pygc::commands {
namespace {

int run_parsed(const std::vector<std::string>& words, Surroundings& surroundings) {
  CLI::App app(std::string(wire::family_summary), "pygc");
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>(surroundings.width));
  app.set_help_all_flag("--help-all", "Show the options of all commands");
  const auto commands = all_commands();
  std::vector<std::pair<CLI::App*, Command*>> declared;
  for (const auto& command : commands) {
    const wire::Command* text = wire::find_command(command->name());
    CLI::App* sub = app.add_subcommand(command->name(), text != nullptr ? text->summary : "");
    if (text != nullptr) {
      sub->footer(text->help);
    }
    command->declare(*sub);
    declared.emplace_back(sub, command.get());
  }
  // CLI11 takes the words last first.
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream problem;
    const int code = app.exit(error, out, problem);
    surroundings.session.output(out.str());
    surroundings.session.diagnostics(problem.str().empty() ? "" : "pygc: " + problem.str());
    return code == 0 ? status_clean : status_error;
  }
  for (const auto& [sub, command] : declared) {
    if (!sub->parsed()) {
      continue;
    }
    const auto status = command->run(surroundings);
    if (status) {
      return *status;
    }
    surroundings.session.diagnostics(fmt::format("pygc: {}\n", status.error().reason));
    return status_error;
  }
  return status_error;
}

} // namespace

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_check_command());
  commands.push_back(make_gc_refs_command());
  commands.push_back(make_generations_command());
  commands.push_back(make_runtime_command());
  commands.push_back(make_modules_command());
  commands.push_back(make_audit_command());
  commands.push_back(make_step_command());
  commands.push_back(make_watch_command());
  commands.push_back(make_doctor_command());
  commands.push_back(make_snapshot_command());
  commands.push_back(make_layout_command());
  commands.push_back(make_version_command());
  return commands;
}

int run_words(const std::vector<std::string>& words, Surroundings& surroundings) {
  try {
    return run_parsed(words, surroundings);
  } catch (const std::exception& error) {
    surroundings.session.diagnostics(fmt::format("pygc: internal error: {}\n", error.what()));
    return status_error;
  }
}

} // namespace pygc::commands
