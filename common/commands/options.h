// Options that every command shares, parsed once for all front ends.
#pragma once

#include "common/session/options.h"

namespace CLI {
class App;
}

namespace pygc::commands {

/// The CORE argument, and options that say where the target's files are.
void declare_target_options(CLI::App& app, session::Options& options);
/// --runtime, of commands that look at one CPython.
void declare_runtime_option(CLI::App& app, session::Options& options);
/// --engine; `both` only where results are compared.
void declare_engine_option(CLI::App& app, session::Options& options, bool with_both);
/// All of these and those below, of a command that looks at the objects of one CPython.
void declare_heap_options(CLI::App& app, session::Options& options);
/// Those options alone.
void declare_file_options(CLI::App& app, session::Options& options);
/// --output and --json.
void declare_output_options(CLI::App& app, session::Options& options);

} // namespace pygc::commands
