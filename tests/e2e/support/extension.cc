#include "tests/e2e/support/extension.h"

#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>

namespace pygc::e2e {
namespace {

namespace fs = std::filesystem;

/// What one build got in this run.
struct Compiled {
  TempDir directory;
  std::set<std::string> names;
};

std::string include_directory(const InterpreterBuild& build) {
  Command command{.words = build.command, .env = build.env};
  command.words.insert(command.words.end(),
                       {"-c", "import sysconfig; print(sysconfig.get_paths()['include'])"});
  const Outcome outcome = run(command);
  const std::vector<std::string> lines = split_lines(outcome.out);
  if (lines.empty() || !fs::exists(lines.front() + "/Python.h")) {
    throw std::runtime_error(build.name + " has no headers: " + outcome.out + outcome.err);
  }
  return lines.front();
}

} // namespace

void compile_extension(const InterpreterBuild& build, const std::string& source,
                       const std::string& directory, const std::string& name,
                       const std::vector<std::string>& options) {
  const bool c = source.ends_with(".c");
  const std::string headers = include_directory(build);
  Command command{.words = {c ? "gcc" : "g++", "-O2", "-fPIC", "-shared", "-I", headers,
                            // Debian's pyconfig.h lies in a directory of the architecture's name;
                            // all that this machine has itself must come first.
                            "-idirafter", fs::path(headers).parent_path().string()}};
  command.words.insert(command.words.end(), options.begin(), options.end());
  command.words.insert(command.words.end(), {source, "-o", directory + "/" + name + ".so"});
  const Outcome outcome = run(command);
  if (outcome.status != 0) {
    throw std::runtime_error(source + " cannot be compiled for " + build.name + ": " + outcome.err);
  }
}

std::string build_extensions(const InterpreterBuild& build, const std::vector<std::string>& names) {
  static std::map<std::string, Compiled> compiled;
  Compiled& of = compiled[build.name];
  const std::string directory = of.directory.path().string();
  for (const std::string& name : names) {
    if (of.names.insert(name).second) {
      compile_extension(build, std::string(PYGC_E2E_DIR) + "/extensions/" + name + ".c", directory,
                        name, {"-Wall", "-Wextra", "-Werror"});
    }
  }
  return directory;
}

} // namespace pygc::e2e
