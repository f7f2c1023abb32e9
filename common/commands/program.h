// All commands as one program for the parser: what its words mean, and what help, manual pages and
// completions are made of.
#pragma once

#include "common/commands/registry.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace pygc::commands {

struct Program {
  /// `width`: columns for help.
  explicit Program(unsigned width);

  CLI::App app;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>>
      commands; // in the order of their places
};

} // namespace pygc::commands
