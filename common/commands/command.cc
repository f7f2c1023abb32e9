#include "common/commands/command.h"

#include "common/commands/audit_command.h"
#include "common/commands/check_command.h"
#include "common/commands/doctor_command.h"
#include "common/commands/gc_refs_command.h"
#include "common/commands/generations_command.h"
#include "common/commands/help_formatter.h"
#include "common/commands/layout_command.h"
#include "common/commands/modules_command.h"
#include "common/commands/output_sink.h"
#include "common/commands/runtime_command.h"
#include "common/commands/snapshot_command.h"
#include "common/commands/step_command.h"
#include "common/commands/version_command.h"
#include "common/commands/wanted_output.h"
#include "common/commands/watch_command.h"
#include "common/protocol/wire_commands.h"
#include "common/report/error_view.h"
#include "common/report/kit/printable.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sstream>

namespace pygc::commands {
namespace {

/// Says why a command ends: a sentence for people, or with --json a document in the place of the
/// one that was asked for.
int end_with(const Error& error, session::Surroundings& surroundings) {
  // What an earlier run of the command wrote into the file stays.
  if (!surroundings.session.listening()) {
    return status_error;
  }
  const WantedOutput wanted = wanted_output(surroundings.words);
  if (!wanted.json) {
    surroundings.session.diagnostics(fmt::format("pygc: {}\n", report::printable(error.reason)));
    return status_error;
  }
  const std::string document = report::error_json(surroundings.subject, error);
  if (!deliver(surroundings.session, wanted.file, document)) {
    surroundings.session.output(document);
  }
  return status_error;
}

int end_parse(const CLI::App& app, const CLI::ParseError& error,
              session::Surroundings& surroundings) {
  const bool is_help = error.get_exit_code() == 0;
  if (!is_help && wanted_output(surroundings.words).json) {
    return end_with({.kind = ErrorKind::usage, .address = 0, .reason = error.what()}, surroundings);
  }
  std::ostringstream out;
  std::ostringstream problem;
  app.exit(error, out, problem);
  surroundings.session.output(out.str());
  surroundings.session.diagnostics(problem.str().empty() ? "" : "pygc: " + problem.str());
  return is_help ? status_clean : status_error;
}

int run_parsed(const std::vector<std::string>& words, session::Surroundings& surroundings) {
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
    return end_parse(app, error, surroundings);
  }
  for (const auto& [sub, command] : declared) {
    if (!sub->parsed()) {
      continue;
    }
    const auto status = command->run(surroundings);
    return status ? *status : end_with(status.error(), surroundings);
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

int run_words(const std::vector<std::string>& words, session::Surroundings& surroundings) {
  try {
    return run_parsed(words, surroundings);
  } catch (const std::exception& error) {
    return end_with({.kind = ErrorKind::internal,
                     .address = 0,
                     .reason = fmt::format("internal error: {}", error.what())},
                    surroundings);
  }
}

} // namespace pygc::commands
