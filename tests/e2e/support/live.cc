#include "tests/e2e/support/live.h"

#include <fstream>

namespace pygc::e2e {
namespace {

constexpr std::chrono::seconds live_timeout{240};

std::vector<std::string> script_words(const LiveRequest& request) {
  std::vector<std::string> words(request.build->command.begin() + 1, request.build->command.end());
  words.push_back(script_path(request.script));
  words.insert(words.end(), request.words.begin(), request.words.end());
  return words;
}

Outcome run_live_in_gdb(const LiveRequest& request) {
  Command command{.words = {PYGC_GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off"},
                  .env = request.env,
                  .timeout = live_timeout};
  std::vector<std::string> commands = request.build->gdb_commands();
  commands.push_back(std::string("source ") + PYGC_GDB_SCRIPT);
  commands.emplace_back("handle SIGUSR1 stop print nopass");
  commands.emplace_back("run");
  commands.insert(commands.end(), request.commands.begin(), request.commands.end());
  for (const std::string& each : commands) {
    command.words.insert(command.words.end(), {"-ex", each});
  }
  command.words.insert(command.words.end(), {"--args", request.build->command.front()});
  for (const std::string& word : script_words(request)) {
    command.words.push_back(word);
  }
  return run(command);
}

Outcome run_live_in_lldb(const LiveRequest& request) {
  const TempDir directory;
  const std::string file = directory.file("commands");
  std::ofstream commands(file);
  commands << "plugin load " << PYGC_LLDB_PLUGIN << "\nprocess handle SIGUSR1 -s true -p false\n";
  for (const std::string& each : request.build->env) {
    commands << "settings append target.env-vars " << each << "\n";
  }
  commands << "process launch --";
  for (const std::string& word : script_words(request)) {
    commands << " '" << word << "'";
  }
  commands << "\n";
  for (const std::string& each : request.commands) {
    commands << each << "\n";
  }
  commands << "process kill\n";
  commands.close();
  // Batch mode ends at a signal; what a file holds goes on.
  return run(
      {.words = {PYGC_LLDB, "--batch", "--no-lldbinit", "-o",
                 "command source --stop-on-error false " + file, request.build->command.front()},
       .env = request.env,
       .timeout = live_timeout});
}

} // namespace

Outcome run_live(const LiveRequest& request) {
  return request.debugger == Debugger::gdb ? run_live_in_gdb(request) : run_live_in_lldb(request);
}

std::vector<std::uint64_t> printed_numbers(const std::string& said, const std::string& name) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& line : split_lines(said)) {
    if (line.starts_with(name + " ")) {
      numbers.push_back(to_address(line.substr(name.size() + 1)));
    }
  }
  if (numbers.empty()) {
    throw std::runtime_error("the script printed no " + name + ": " + said);
  }
  return numbers;
}

} // namespace pygc::e2e
