#include "tests/e2e/support/interpreter.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

constexpr std::chrono::seconds script_timeout{120};

Command command_of(const CoreRequest& request, const std::string& cwd, bool aborts) {
  Command command;
  command.words = request.build->command;
  command.words.push_back(script_path(request.script));
  command.words.insert(command.words.end(), request.words.begin(), request.words.end());
  if (aborts) {
    command.words.emplace_back("abort");
  }
  command.env = request.build->env;
  command.cwd = cwd;
  command.core_unlimited = aborts;
  command.coredump_filter = request.coredump_filter;
  command.timeout = script_timeout;
  return command;
}

std::string core_pattern() {
  std::ifstream file("/proc/sys/kernel/core_pattern");
  std::string pattern;
  std::getline(file, pattern);
  return pattern;
}

/// The one core file in a directory.
std::optional<std::string> core_in(const std::filesystem::path& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with("core")) {
      return entry.path().string();
    }
  }
  return std::nullopt;
}

std::vector<std::string> lines_before_ready(const std::string& text) {
  std::vector<std::string> lines = split_lines(text);
  lines.erase(std::ranges::find(lines, "READY"), lines.end());
  return lines;
}

Core kernel_core(const CoreRequest& request, Core core) {
  const Outcome outcome = run(command_of(request, core.directory->path().string(), true));
  if (outcome.signal != SIGABRT && outcome.signal != SIGSEGV) {
    throw std::runtime_error("the script was to die, but ended otherwise: " + outcome.err);
  }
  const auto path = core_in(core.directory->path());
  if (!path) {
    throw std::runtime_error("the kernel wrote no core");
  }
  core.path = *path;
  core.pid = outcome.pid;
  core.printed = lines_before_ready(outcome.out);
  return core;
}

/// Where the kernel hands cores to a program or another directory: a core of the same moment by
/// GDB.
Core core_at_abort_by_gdb(const CoreRequest& request, Core core) {
  std::fprintf(stderr, "note: core_pattern is '%s'; GDB takes the core at SIGABRT instead\n",
               core_pattern().c_str());
  Command command = command_of(request, core.directory->path().string(), true);
  core.path = core.directory->file("core");
  std::vector<std::string> words = {"gdb",
                                    "-nx",
                                    "-batch",
                                    "-ex",
                                    "set debuginfod enabled off",
                                    "-ex",
                                    "run",
                                    "-ex",
                                    "gcore " + core.path,
                                    "-ex",
                                    "info inferiors",
                                    "--args"};
  words.insert(words.end(), command.words.begin(), command.words.end());
  command.words = words;
  const Outcome outcome = run(command);
  if (!std::filesystem::exists(core.path)) {
    throw std::runtime_error("GDB took no core: " + outcome.out + outcome.err);
  }
  core.printed = lines_before_ready(outcome.out);
  const auto at = outcome.out.rfind("process ");
  core.pid = at == std::string::npos ? 0 : std::stoi(outcome.out.substr(at + 8));
  return core;
}

Core gcore_core(const CoreRequest& request, Core core) {
  const RunningScript script(request);
  core.pid = script.pid();
  core.printed = script.printed();
  take_gcore(core);
  return core;
}

} // namespace

std::vector<std::string> InterpreterBuild::pygc_options() const {
  if (sysroot.empty()) {
    return {};
  }
  return {"--sysroot", sysroot, "--debug-directory", sysroot + "/usr/lib/debug"};
}

std::vector<std::string> InterpreterBuild::gdb_commands() const {
  std::vector<std::string> commands;
  for (const std::string& each : env) {
    const auto equals = each.find('=');
    commands.push_back("set environment " + each.substr(0, equals) + " " + each.substr(equals + 1));
  }
  if (!sysroot.empty()) {
    commands.push_back("set debug-file-directory " + sysroot + "/usr/lib/debug");
  }
  return commands;
}

const std::vector<InterpreterBuild>& interpreters() {
  static const std::vector<InterpreterBuild> builds = [] {
    std::vector<InterpreterBuild> all = {
        {.name = "release",
         .command = {PYGC_TEST_PYTHON},
         .executable = PYGC_TEST_PYTHON,
         .debug = false},
        {.name = "debug",
         .command = {PYGC_TEST_PYTHON_DEBUG},
         .executable = PYGC_TEST_PYTHON_DEBUG,
         .debug = true},
    };
    for (const InterpreterBuild& build : all) {
      if (!std::filesystem::exists(build.executable)) {
        throw std::runtime_error(build.executable + " is not installed");
      }
    }
    return all;
  }();
  return builds;
}

const InterpreterBuild& release_build() {
  return interpreters().at(0);
}
const InterpreterBuild& debug_build() {
  return interpreters().at(1);
}

void take_gcore(Core& core) {
  core.path = core.directory->file("core");
  const Outcome outcome =
      run({.words = {PYGC_GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p",
                     std::to_string(core.pid), "-ex", "gcore " + core.path}});
  if (!std::filesystem::exists(core.path)) {
    throw std::runtime_error("gcore took no core: " + outcome.out + outcome.err);
  }
}

std::string script_path(const std::string& name) {
  return name.starts_with('/') ? name : std::string(PYGC_E2E_DIR) + "/scripts/" + name;
}

std::string Core::printed_value(const std::string& name) const {
  for (const std::string& line : printed) {
    if (line.starts_with(name + " ")) {
      return line.substr(name.size() + 1);
    }
  }
  throw std::runtime_error("the script printed no " + name);
}

RunningScript::RunningScript(const CoreRequest& request) : child_(command_of(request, "", false)) {
  auto printed = child_.read_until("READY", script_timeout);
  if (!printed) {
    throw std::runtime_error("the script never got READY: " +
                             child_.wait(std::chrono::seconds(1)).err);
  }
  printed_ = std::move(*printed);
}

Core make_core_of_program(const std::vector<std::string>& words,
                          const std::vector<std::string>& env) {
  Child child(Command{.words = words, .env = env});
  auto printed = child.read_until("READY", script_timeout);
  if (!printed) {
    throw std::runtime_error("never got READY: " + join(words));
  }
  Core core;
  core.directory = std::make_shared<TempDir>();
  core.pid = child.pid();
  core.printed = std::move(*printed);
  take_gcore(core);
  return core;
}

Core make_core(const CoreRequest& request) {
  Core core;
  core.directory = std::make_shared<TempDir>();
  core.build = request.build;
  if (request.kind == CoreKind::gcore) {
    return gcore_core(request, std::move(core));
  }
  if (core_pattern().find_first_of("|/") != std::string::npos) {
    return core_at_abort_by_gdb(request, std::move(core));
  }
  return kernel_core(request, std::move(core));
}

} // namespace pygc::e2e
