#include "tests/e2e/support/typed_debugger.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

constexpr std::chrono::seconds key_patience{60};

Command command_of(Debugger debugger, const std::vector<std::string>& first,
                   const std::vector<std::string>& env) {
  Command command{.words = {}, .env = env, .typed = true};
  const char* option = "-o";
  if (debugger == Debugger::gdb) {
    command.words = {PYGC_GDB, "-nx", "-q", "-iex", "set debuginfod enabled off"};
    option = "-ex";
  } else {
    command.words = {PYGC_LLDB, "--no-lldbinit", "--no-use-colors"};
  }
  std::vector<std::string> all =
      debugger == Debugger::gdb
          ? std::vector<std::string>{"set confirm off", "set prompt",
                                     std::string("source ") + PYGC_GDB_SCRIPT}
          : std::vector<std::string>{"settings set auto-confirm true",
                                     std::string("plugin load ") + PYGC_LLDB_PLUGIN};
  all.insert(all.end(), first.begin(), first.end());
  for (const std::string& each : all) {
    command.words.insert(command.words.end(), {option, each});
  }
  return command;
}

} // namespace

TypedDebugger::TypedDebugger(Debugger debugger, const std::vector<std::string>& first,
                             const std::vector<std::string>& env)
    : debugger_(debugger), child_(command_of(debugger, first, env)) {}

std::vector<std::string> TypedDebugger::wait() {
  const std::string mark = "mark-" + std::to_string(++marks_);
  child_.type((debugger_ == Debugger::gdb ? "shell echo " : "platform shell -h -- echo ") + mark);
  auto lines = child_.read_until(mark, key_patience);
  if (!lines) {
    throw std::runtime_error("the debugger does not go on: " +
                             child_.wait(std::chrono::seconds(1)).out);
  }
  const std::size_t before = std::exchange(seen_, lines->size() + 1);
  lines->erase(lines->begin(), lines->begin() + static_cast<std::ptrdiff_t>(before));
  return *lines;
}

std::vector<std::string> TypedDebugger::run(const std::string& line) {
  type(line);
  return wait();
}

Outcome TypedDebugger::quit() {
  child_.type("quit");
  return wait_for_end();
}

Outcome TypedDebugger::wait_for_end() {
  return child_.wait(key_patience * 10); // since its start
}

std::string TypedDebugger::open_core(const Core& core) const {
  return debugger_ == Debugger::gdb
             ? "core-file " + core.path
             : "target create --core " + core.path + " " + core.build->executable;
}

std::string TypedDebugger::attach(pid_t pid) const {
  return (debugger_ == Debugger::gdb ? "attach " : "process attach --pid ") + std::to_string(pid);
}

std::string TypedDebugger::write_word(std::uint64_t address, std::uint64_t value) const {
  return debugger_ == Debugger::gdb
             ? "set var {unsigned long}" + to_hex(address) + " = " + std::to_string(value)
             : "memory write --size 8 " + to_hex(address) + " " + to_hex(value);
}

std::vector<pid_t> analyses_of(pid_t debugger) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string number = entry.path().filename().string();
    if (!std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c) != 0; })) {
      continue;
    }
    std::ifstream file(entry.path() / "stat");
    std::string pid;
    std::string name;
    std::string state;
    pid_t parent = 0;
    if (file >> pid >> name >> state >> parent && parent == debugger && state != "Z" &&
        name.starts_with("(pygc")) {
      found.push_back(std::stoi(number));
    }
  }
  return found;
}

} // namespace pygc::e2e
