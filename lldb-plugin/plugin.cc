// libpygc-lldb.so: the multiword command "pygc". Each subcommand starts the analysis and serves it
// LLDB's target. One binary serves every LLDB from 13 on: only functions that all of them have are
// called unasked.
//
// The command's return object fails with status 2 only, an error: a failing command ends `lldb -o`
// and sourced scripts, and what was found is no reason for that. LLDB has no place for the number:
// "pygc status" prints that of the last command, for scripts and people, and "pygc status --fail"
// fails unless it is 0, which is how a batch can end with status 1.
#include "common/protocol/wire_commands.h"
#include "common/protocol/wire_host.h"
#include "lldb-plugin/lldb_host.h"
#include "lldb-plugin/own_stops.h"
#include "lldb-plugin/resume.h"

#include <lldb/API/LLDB.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

namespace lldb {
bool PluginInitialize(lldb::SBDebugger debugger);
}

namespace pygc::lldb_plugin {
namespace {

int last_status = 0;
wire::KeptAnalysis kept;

// Printf appends as it stands; the other ways add to or take from the end.
void put(lldb::SBCommandReturnObject& result, std::string text) {
  std::erase(text, '\0');
  if (!text.empty()) {
    result.Printf("%s", text.c_str());
  }
}

/// LLDB puts "error: " before it.
std::string as_error(std::string text) {
  constexpr std::string_view prefix = "pygc: ";
  if (text.starts_with(prefix)) {
    text.erase(0, prefix.size());
  }
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text.empty() ? "pygc failed" : text;
}

void run_command(lldb::SBDebugger& debugger, const std::vector<std::string>& words,
                 lldb::SBCommandReturnObject& result);

void carry_out(lldb::SBDebugger& debugger, const std::vector<wire::Action>& actions,
               lldb::SBCommandReturnObject& result) {
  OwnStops stops(debugger.GetSelectedTarget());
  unsigned stopped_by = 0;
  for (const auto& action : actions) {
    switch (action.kind) {
    case wire::ActionKind::breakpoint:
    case wire::ActionKind::watch_access:
    case wire::ActionKind::watch_write:
    case wire::ActionKind::watch_steps:
      if (const auto problem = stops.set(action); !problem.empty()) {
        last_status = wire::status_failed;
        result.SetError(problem.c_str());
        return;
      }
      break;
    case wire::ActionKind::resume:
      put(result, resume(debugger, stops));
      stopped_by = stops.stopped_by();
      break;
    case wire::ActionKind::clear:
      stops.clear();
      break;
    case wire::ActionKind::run: {
      std::vector<std::string> words = action.words;
      if (action.tells_stop) {
        words.push_back("--stop=" + std::to_string(stopped_by));
      }
      run_command(debugger, words, result);
      break;
    }
    }
  }
}

void run_command(lldb::SBDebugger& debugger, const std::vector<std::string>& words,
                 lldb::SBCommandReturnObject& result) {
  last_status = wire::status_failed;
  LldbHost host(debugger);
  wire::Launch launch;
  launch.executable = wire::find_analysis(reinterpret_cast<const void*>(&lldb::PluginInitialize));
  launch.hello.words = words;
  if (!host.describe(launch)) {
    result.SetError("the process runs: interrupt it first");
    return;
  }
  const wire::Outcome outcome = wire::run_analysis(launch, host, kept);
  last_status = outcome.status;
  put(result, host.output_text());
  const std::string& diagnostics = host.diagnostics_text();
  if (outcome.status == wire::status_failed) {
    if (diagnostics.empty() && !host.output_text().empty()) { // the error is a JSON document
      result.SetStatus(lldb::eReturnStatusFailed);
      return;
    }
    result.SetError(as_error(diagnostics).c_str());
    return;
  }
  put(result, diagnostics);
  result.SetStatus(lldb::eReturnStatusSuccessFinishResult);
  carry_out(debugger, outcome.actions, result);
}

class Subcommand final : public lldb::SBCommandPluginInterface {
public:
  explicit Subcommand(std::string name) : name_(std::move(name)) {}

  bool DoExecute(lldb::SBDebugger debugger, char** words,
                 lldb::SBCommandReturnObject& result) override {
    try {
      std::vector<std::string> all = {name_};
      for (; words != nullptr && *words != nullptr; words++) {
        all.emplace_back(*words);
      }
      run_command(debugger, all, result);
    } catch (const std::exception& e) { // none of ours may reach LLDB
      last_status = wire::status_failed;
      result.SetError((std::string("pygc: ") + e.what()).c_str());
    }
    return result.Succeeded();
  }

private:
  std::string name_;
};

class StatusCommand final : public lldb::SBCommandPluginInterface {
public:
  bool DoExecute(lldb::SBDebugger /*debugger*/, char** words,
                 lldb::SBCommandReturnObject& result) override {
    const std::string_view option = words != nullptr && *words != nullptr ? *words : "";
    if (!option.empty() && (option != "--fail" || words[1] != nullptr)) {
      result.SetError("pygc status takes --fail, or nothing");
      return false;
    }
    result.Printf("%d\n", last_status);
    result.SetStatus(option.empty() || last_status == 0 ? lldb::eReturnStatusSuccessFinishResult
                                                        : lldb::eReturnStatusFailed);
    return result.Succeeded();
  }
};

/// Whether this process is lldb-dap, which editors start (lldb-vscode before LLDB 18).
bool in_dap() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  for (std::string word; std::getline(file, word, '\0');) {
    const std::string_view name = std::string_view(word).substr(word.rfind('/') + 1);
    if (name.starts_with("lldb-dap") || name.starts_with("lldb-vscode")) {
      return true;
    }
  }
  return false;
}

/// A debug console that takes expressions and commands alike takes for commands LLDB's own and
/// aliases, not what a plugin has added. An alias cannot have the name of such a command.
constexpr const char* name_behind_alias = "pygc-commands";

bool make_alias(lldb::SBCommandInterpreter interpreter) {
  lldb::SBCommandReturnObject result;
  interpreter.HandleCommand(
      (std::string("command alias -h \"'help pygc-commands' lists the commands\" -- pygc ") +
       name_behind_alias)
          .c_str(),
      result);
  return result.Succeeded();
}

} // namespace
} // namespace pygc::lldb_plugin

__attribute__((visibility("default"))) bool lldb::PluginInitialize(lldb::SBDebugger debugger) {
  using namespace pygc;
  auto asked = wire::ask_commands(
      wire::find_analysis(reinterpret_cast<const void*>(&lldb::PluginInitialize)));
  if (!asked) {
    std::fprintf(stderr, "pygc: %s\n", asked.error().reason.c_str());
  }
  const wire::CommandTable table =
      asked ? std::move(*asked) : wire::commands_without_analysis(asked.error().reason);
  const bool aliased = lldb_plugin::in_dap();
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  lldb::SBCommand family = interpreter.AddMultiwordCommand(
      aliased ? lldb_plugin::name_behind_alias : "pygc", table.family.c_str());
  if (!family.IsValid() || (aliased && !lldb_plugin::make_alias(interpreter))) {
    return false;
  }
  for (const wire::Command& command : table.commands) {
    const std::string syntax = "pygc " + command.name + " [OPTION...]";
    const std::string help = command.summary + ".";
    lldb::SBCommand one =
        family.AddCommand(command.name.c_str(), new lldb_plugin::Subcommand(command.name),
                          help.c_str(), syntax.c_str());
    one.SetHelpLong(("\n" + command.help).c_str());
  }
  family
      .AddCommand("status", new lldb_plugin::StatusCommand,
                  "Print the status of the last pygc command (0 clean or warnings only, 1 "
                  "findings, 2 error, 3 incomplete).",
                  "pygc status [--fail]")
      .SetHelpLong(
          "\nNo pygc command fails but with status 2, so that what it finds ends no batch. With\n"
          "--fail this one fails unless the status is 0:\n\n"
          "  lldb --batch -o 'pygc check' -o 'pygc status --fail'\n");
  return true;
}
