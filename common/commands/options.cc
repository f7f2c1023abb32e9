#include "common/commands/options.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {

image::FileOptions Options::file_options() const {
  image::FileOptions files;
  files.executable = executable;
  files.sysroot = sysroot;
  files.debug_directories = debug_directories;
  files.debuginfod = !no_debuginfod;
  return files;
}

void declare_target_options(CLI::App& app, Options& options) {
  app.add_option("core", options.core, "Core file (inside a debugger: its target, when left out)")
      ->type_name("FILE");
  app.add_option("--executable", options.executable, "The Python executable that dumped the core")
      ->type_name("FILE");
  app.add_option("--sysroot", options.sysroot, "Directory with the target's files")
      ->type_name("DIR");
  app.add_option("--debug-directory", options.debug_directories,
                 "Directory with separate debug files, instead of /usr/lib/debug; may be repeated")
      ->type_name("DIR");
  app.add_flag("--no-debuginfod", options.no_debuginfod, "Do not ask debuginfod servers for files");
}

void declare_output_options(CLI::App& app, Options& options, bool with_json) {
  if (with_json) {
    app.add_flag("--json", options.json, "Print one JSON document");
  }
  app.add_option("-o,--output", options.output, "Write to a file instead of the console")
      ->type_name("FILE");
}

} // namespace pygc::commands
