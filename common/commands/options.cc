#include "common/commands/options.h"

#include <CLI/CLI.hpp>
#include <map>

namespace pygc::commands {

void declare_target_options(CLI::App& app, session::Options& options) {
  auto* core =
      app.add_option(
             "core", options.core,
             "Core file, also packed by zstd, lz4, xz or gzip; - is standard input (inside a "
             "debugger: its target, when left out)")
          ->type_name("FILE");
  app.add_option("--pid", options.pid,
                 "A running process instead of a core: it stands still while its memory is copied")
      ->type_name("N")
      ->excludes(core);
  declare_file_options(app, options);
}

void declare_file_options(CLI::App& app, session::Options& options) {
  app.add_option("--executable", options.executable, "The Python executable that dumped the core")
      ->type_name("FILE");
  app.add_option("--sysroot", options.sysroot, "Directory with the target's files")
      ->type_name("DIR");
  app.add_option("--debug-directory", options.debug_directories,
                 "Directory with separate debug files, instead of /usr/lib/debug; may be repeated")
      ->allow_extra_args(false) // else it takes the core that follows for a second directory
      ->type_name("DIR");
  // Callbacks: a flag would be set to false where it is not given.
  app.add_flag_callback(
      "--progress", [&options] { options.progress = true; },
      "Show what takes long (default: on a terminal, without --json)");
  app.add_flag_callback(
      "--no-progress", [&options] { options.progress = false; }, "Do not show what takes long");
  app.add_flag("--no-debuginfod", options.no_debuginfod, "Do not ask debuginfod servers for files");
}

void declare_engine_option(CLI::App& app, session::Options& options, bool with_both) {
  std::map<std::string, session::Engine> engines{{"native", session::Engine::native},
                                                 {"emulated", session::Engine::emulated}};
  if (with_both) {
    engines.emplace("both", session::Engine::both);
  }
  app.add_option("--engine", options.engine,
                 with_both ? "Run the target's code natively (default), in an emulator, or in both "
                             "and compare"
                           : "Run the target's code natively (default) or in an emulator")
      ->transform(CLI::CheckedTransformer(engines, CLI::ignore_case))
      ->option_text(with_both ? "native|emulated|both" : "native|emulated");
}

void declare_runtime_option(CLI::App& app, session::Options& options) {
  app.add_option("--runtime", options.runtime,
                 "Which CPython, where a process has several: 0 for the first that pygc runtime "
                 "lists (default), 1 ...")
      ->type_name("N");
}

void declare_output_options(CLI::App& app, session::Options& options) {
  app.add_flag("--json", options.json, "Print one JSON document");
  app.add_option_function<std::string>(
         "-o,--output",
         [&options](const std::string& file) { options.output = file == "-" ? "" : file; },
         "Write to a file instead of the console (which is -)")
      ->type_name("FILE");
}

} // namespace pygc::commands
