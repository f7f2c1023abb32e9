// Options that every command shares, parsed once for all front ends.
#pragma once

#include "common/image/module.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace pygc::commands {

/// Which replayer runs the target's code.
enum class Engine : std::uint8_t { native, emulated, both };
std::string_view engine_name(Engine engine);

struct Options {
  std::string core;
  std::optional<std::int64_t> pid;
  std::string executable;
  std::string sysroot;
  std::vector<std::string> debug_directories;
  bool no_debuginfod = false;
  std::optional<std::size_t> runtime; // which CPython of the target, as `pygc runtime` lists them
  Engine engine = Engine::native;
  bool json = false;
  std::optional<bool> progress;
  std::string output;

  image::FileOptions file_options() const;
};

/// The CORE argument, and options that say where the target's files are.
void declare_target_options(CLI::App& app, Options& options);
/// --runtime, of commands that look at one CPython.
void declare_runtime_option(CLI::App& app, Options& options);
/// --engine; `both` only where results are compared.
void declare_engine_option(CLI::App& app, Options& options, bool with_both);
/// Those options alone.
void declare_file_options(CLI::App& app, Options& options);
/// --output, and --json where a command has a JSON view.
void declare_output_options(CLI::App& app, Options& options, bool with_json);

} // namespace pygc::commands
