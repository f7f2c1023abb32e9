#include "common/commands/options.h"

#include "common/base/suggestion.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

namespace pygc::commands {
namespace {

// Help shows it after a command's own options.
constexpr const char* shared_group = "Options of most commands";

} // namespace

void declare_target_options(CLI::App& app, session::Options& options) {
  auto* core =
      app.add_option(
             "core", options.core,
             "Core file, also packed by zstd, lz4, xz or gzip; - is standard input (inside a "
             "debugger: its target, when left out)")
          ->type_name("FILE");
  app.add_option("-p,--pid", options.pid,
                 "A running process instead of a core: it stands still while its memory is copied")
      ->type_name("N")
      ->excludes(core)
      ->group(shared_group);
  declare_file_options(app, options);
}

void declare_heap_options(CLI::App& app, session::Options& options) {
  declare_target_options(app, options);
  declare_runtime_option(app, options);
  declare_output_options(app, options);
  declare_engine_option(app, options, false);
}

void declare_file_options(CLI::App& app, session::Options& options) {
  app.add_option("--executable", options.executable, "The Python executable that dumped the core")
      ->type_name("FILE")
      ->group(shared_group);
  app.add_option("--sysroot", options.sysroot, "Directory with the target's files")
      ->type_name("DIR")
      ->group(shared_group);
  app.add_option("--debug-directory", options.debug_directories,
                 "Directory with separate debug files, instead of /usr/lib/debug; may be repeated")
      ->allow_extra_args(false) // else it takes the core that follows for a second directory
      ->type_name("DIR")
      ->group(shared_group);
  // Callbacks: a flag would be set to false where it is not given.
  app.add_flag_callback(
         "--progress", [&options] { options.progress = true; },
         "Show what takes long (default: on a terminal, without --json)")
      ->group(shared_group);
  app.add_flag_callback(
         "--no-progress", [&options] { options.progress = false; }, "Do not show what takes long")
      ->group(shared_group);
  app.add_flag("--no-debuginfod", options.no_debuginfod, "Do not ask debuginfod servers for files")
      ->group(shared_group);
}

void declare_engine_option(CLI::App& app, session::Options& options, bool with_both) {
  std::vector engines{session::Engine::native, session::Engine::emulated};
  if (with_both) {
    engines.push_back(session::Engine::both);
  }
  app.add_option_function<std::string>(
         "--engine",
         [&options, engines](const std::string& word) {
           std::vector<std::string> names;
           for (const session::Engine engine : engines) {
             names.emplace_back(session::engine_name(engine));
             if (CLI::detail::to_lower(word) == names.back()) {
               options.engine = engine;
               return;
             }
           }
           throw CLI::ValidationError("--engine", fmt::format("'{}' is none of {}{}", word,
                                                              fmt::join(names, ", "),
                                                              did_you_mean(word, names)));
         },
         with_both ? "Run the target's code natively (default), in an emulator, or in both "
                     "and compare"
                   : "Run the target's code natively (default) or in an emulator")
      ->type_name(with_both ? "native|emulated|both" : "native|emulated");
}

void declare_runtime_option(CLI::App& app, session::Options& options) {
  app.add_option("--runtime", options.runtime,
                 "Which CPython, where a process has several: 0 for the first that pygc runtime "
                 "lists (default), 1 ...")
      ->type_name("N")
      ->group(shared_group);
}

void declare_output_options(CLI::App& app, session::Options& options) {
  app.add_flag("--json", options.json, "Print one JSON document")->group(shared_group);
  app.add_option_function<std::string>(
         "-o,--output",
         [&options](const std::string& file) { options.output = file == "-" ? "" : file; },
         "Write to a file instead of the console (which is -)")
      ->type_name("FILE")
      ->group(shared_group);
}

} // namespace pygc::commands
