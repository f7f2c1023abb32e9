#include "common/commands/command.h"

#include "common/commands/help_formatter.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/commands/wanted_output.h"
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
  CLI::App app(std::string(family_summary), "pygc");
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>(surroundings.width));
  app.set_help_all_flag("--help-all", "Show the options of all commands");
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> declared;
  for (const Entry& entry : registered_commands()) {
    CLI::App* sub = app.add_subcommand(std::string(entry.name), std::string(entry.summary));
    sub->footer(std::string(entry.help));
    auto command = entry.make();
    command->declare(*sub);
    declared.emplace_back(sub, std::move(command));
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
