// One command of pygc: its options and what it does.
#pragma once

#include "common/base/error.h"
#include "common/commands/options.h"
#include "common/commands/status.h"
#include "common/session/surroundings.h"

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pygc::commands {

class Command {
public:
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;

  virtual void declare(CLI::App& app) = 0;
  /// Returns a Status; output goes to the session (or --output). Errors end in status_error.
  virtual Result<int> run(session::Surroundings& surroundings) = 0;
};

/// Parses the words of a command ("check", "--json", ...) and runs it. Returns its Status. Never
/// throws.
int run_words(const std::vector<std::string>& words, session::Surroundings& surroundings);

} // namespace pygc::commands
