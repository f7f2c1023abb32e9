#include "common/commands/command.h"

#include "common/commands/output_sink.h"
#include "common/commands/program.h"
#include "common/commands/usage.h"
#include "common/commands/wanted_output.h"
#include "common/report/error_view.h"
#include "common/report/kit/printable.h"
#include "common/session/last_list.h"

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

/// Help that was asked for, or what is wrong with the words.
int end_parse(const CLI::App& app, const CLI::ParseError& error,
              session::Surroundings& surroundings) {
  if (error.get_exit_code() != 0) {
    return end_with({.kind = ErrorKind::usage, .address = 0, .reason = explain(app, error)},
                    surroundings);
  }
  std::ostringstream out;
  app.exit(error, out, out);
  surroundings.session.output(out.str());
  return status_clean;
}

int run_parsed(const std::vector<std::string>& typed, session::Surroundings& surroundings) {
  const std::vector<std::string> words = usual_words(typed);
  Program program(surroundings.width);
  CLI::App& app = program.app;
  if (const std::string problem = problem_of_first_word(app, words); !problem.empty()) {
    return end_with({.kind = ErrorKind::usage, .address = 0, .reason = problem}, surroundings);
  }
  // CLI11 takes the words last first.
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return end_parse(app, error, surroundings);
  }
  for (const auto& [sub, command] : program.commands) {
    if (!sub->parsed()) {
      continue;
    }
    const auto status = command->run(surroundings);
    if (status) {
      session::keep_list(surroundings);
      return *status;
    }
    // What fails once the user has interrupted fails for that.
    const bool interrupted =
        status.error().kind != ErrorKind::usage && surroundings.session.cancelled();
    return end_with(interrupted ? Error{ErrorKind::cancelled, 0, "interrupted"} : status.error(),
                    surroundings);
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
