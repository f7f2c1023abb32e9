// Options that every command shares, parsed once for all front ends.
#pragma once

#include "common/image/module.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pygc::commands {

struct Options {
  std::string core;
  std::string executable;
  std::string sysroot;
  std::vector<std::string> debug_directories;
  bool no_debuginfod = false;
  bool json = false;
  std::string output;

  image::FileOptions file_options() const;
};

/// Options that say where the target and its files are.
void declare_target_options(CLI::App& app, Options& options);
/// --output, and --json where a command has a JSON view.
void declare_output_options(CLI::App& app, Options& options, bool with_json);

} // namespace pygc::commands
