// Extension modules that a test compiles for the interpreter it runs.
#pragma once

#include "tests/e2e/support/interpreter.h"

#include <string>
#include <vector>

namespace pygc::e2e {

/// Compiles tests/e2e/extensions/NAME.c against the headers of the build into NAME.so, once in a
/// test run, and returns the directory, which goes at the end of the run. Throws with what the
/// compiler said.
std::string build_extensions(const InterpreterBuild& build, const std::vector<std::string>& names);

/// Compiles one source (C or C++, by its name) with further options for the compiler into
/// DIRECTORY/NAME.so. Throws with what the compiler said.
void compile_extension(const InterpreterBuild& build, const std::string& source,
                       const std::string& directory, const std::string& name,
                       const std::vector<std::string>& options = {});

} // namespace pygc::e2e
