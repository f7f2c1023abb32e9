#include "lldb-plugin/lldb_host.h"

#include "common/machine/machine.h"
#include "common/protocol/wire_files.h"
#include "common/protocol/wire_maps.h"

#include <algorithm>
#include <array>
#include <climits>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

namespace pygc::lldb_plugin {
namespace {

constexpr std::size_t shown_of_refused = 4000;
/// How long an interrupted analysis may take to end by itself.
constexpr std::chrono::seconds grace{2};

/// Whether the LLDB that runs has the function, which its headers need not be those of.
bool has(const char* symbol) {
  return ::dlsym(RTLD_DEFAULT, symbol) != nullptr;
}

// What only newer LLDBs have is used where the headers declare it and the running LLDB has it.
template <class Process> std::string core_path(Process& process) {
  if constexpr (requires { process.GetCoreFile(); }) {
    std::array<char, PATH_MAX> path{};
    if (has("_ZN4lldb9SBProcess11GetCoreFileEv") &&
        process.GetCoreFile().GetPath(path.data(), path.size()) > 0) {
      return path.data();
    }
  }
  return {};
}

template <class Debugger> bool interrupt_requested(Debugger& debugger) {
  if constexpr (requires { debugger.InterruptRequested(); }) {
    return has("_ZN4lldb10SBDebugger18InterruptRequestedEv") && debugger.InterruptRequested();
  } else {
    return false;
  }
}

machine::Thread describe_thread(lldb::SBThread thread) {
  machine::Thread described;
  described.tid = thread.GetThreadID();
  lldb::SBFrame frame = thread.GetFrameAtIndex(0);
  for (std::size_t i = 0; i < machine::register_names.size(); i++) {
    described.registers[i] = frame.FindRegister(machine::register_names[i]).GetValueAsUnsigned();
  }
  described.pc = described.registers[machine::pc_register];
  described.sp = described.registers[machine::sp_register];
  described.thread_pointer = frame.FindRegister(machine::thread_pointer_name).GetValueAsUnsigned();
  if (thread.GetStopReason() == lldb::eStopReasonSignal) {
    described.signal = static_cast<int>(thread.GetStopReasonDataAtIndex(0));
  }
  return described;
}

/// "19.1.7" of "lldb version 19.1.7 (...)".
std::string version() {
  std::string text = lldb::SBDebugger::GetVersionString();
  constexpr std::string_view before = "version ";
  if (const auto at = text.find(before); at != std::string::npos) {
    text.erase(0, at + before.size());
  }
  return text.substr(0, text.find_first_of(" \n"));
}

std::string executable_path(lldb::SBTarget& target) {
  std::array<char, PATH_MAX> path{};
  const bool there = target.GetExecutable().GetPath(path.data(), path.size()) > 0 &&
                     ::access(path.data(), R_OK) == 0;
  return there ? path.data() : "";
}

} // namespace

LldbHost::LldbHost(const lldb::SBDebugger& debugger)
    : debugger_(debugger), target_(debugger_.GetSelectedTarget()), process_(target_.GetProcess()) {}

bool LldbHost::describe(wire::Launch& launch) {
  wire::Hello& hello = launch.hello;
  hello.debugger = "lldb";
  hello.debugger_version = version();
  hello.columns = wire::terminal_columns();
  hello.terminal = hello.columns > 0 && debugger_.GetUseColor();
  if (target_.IsValid()) {
    hello.executable_path = executable_path(target_);
  }
  const lldb::StateType state = process_.IsValid() ? process_.GetState() : lldb::eStateInvalid;
  if (state == lldb::eStateInvalid || state == lldb::eStateUnloaded ||
      state == lldb::eStateExited || state == lldb::eStateDetached) {
    hello.stop_id = wire::stop_id_without_target;
    return true; // no target: the command may name one
  }
  if (!lldb::SBDebugger::StateIsStoppedState(state)) {
    return false;
  }
  const machine::Thread thread = describe_thread(process_.GetSelectedThread());
  const char* plugin = process_.GetPluginName();
  hello.pid = static_cast<std::int64_t>(process_.GetProcessID());
  hello.kind = wire::TargetKind::remote;
  if (plugin != nullptr && std::string_view(plugin).ends_with("core")) {
    describe_core(launch, thread.pc, thread.sp);
  } else {
    describe_process(launch, thread.sp);
  }
  return true;
}

void LldbHost::describe_core(wire::Launch& launch, Address pc, Address sp) {
  const wire::Read reader = [this](Address address, std::byte* to, std::size_t size) {
    return read(address, to, size);
  };
  std::string path = core_path(process_);
  UniqueFd core(path.empty() ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const bool has_threads = process_.GetNumThreads() > 0;
  if (core && has_threads && !wire::core_is_target(core.get(), pc, sp, reader)) {
    core.reset(); // the file was replaced since
  }
  if (!core) {
    for (auto& candidate : wire::find_cores()) {
      if (wire::core_is_target(candidate.fd.get(), pc, sp, reader)) {
        core = std::move(candidate.fd);
        path = candidate.path;
        break;
      }
    }
  }
  if (core) {
    wire::hand_over({.fd = std::move(core), .path = path}, launch);
  }
}

void LldbHost::describe_process(wire::Launch& launch, Address sp) {
  const wire::Read reader = [this](Address address, std::byte* to, std::size_t size) {
    return read(address, to, size);
  };
  // The pid of a remote process may be another's here: its stack tells.
  if (UniqueFd memory = wire::open_process_memory(launch.hello.pid, sp, reader)) {
    live_ = true;
    launch.hello.kind = wire::TargetKind::live;
    launch.backing = std::move(memory);
  }
}

void LldbHost::output_refused() {
  output_.resize(std::min(output_.size(), shown_of_refused));
  output_ += "\n";
}

bool LldbHost::read(Address address, std::byte* to, std::size_t size) {
  lldb::SBError error;
  return process_.IsValid() && process_.ReadMemory(address, to, size, error) == size &&
         error.Success();
}

std::optional<wire::ThreadsAnswer> LldbHost::threads() {
  wire::ThreadsAnswer answer;
  if (!process_.IsValid()) {
    return answer;
  }
  const lldb::SBThread selected = process_.GetSelectedThread();
  const auto selected_id = selected.GetThreadID();
  if (selected.IsValid()) {
    answer.threads.push_back(describe_thread(selected));
  }
  const std::uint32_t count = process_.GetNumThreads();
  for (std::uint32_t i = 0; i < count; i++) {
    const lldb::SBThread thread = process_.GetThreadAtIndex(i);
    if (thread.GetThreadID() != selected_id) {
      answer.threads.push_back(describe_thread(thread));
    }
  }
  return answer;
}

wire::MappingsAnswer LldbHost::mappings() {
  if (live_) {
    return wire::process_mappings(static_cast<std::int64_t>(process_.GetProcessID()));
  }
  wire::MappingsAnswer answer;
  lldb::SBMemoryRegionInfoList regions = process_.GetMemoryRegions();
  for (std::uint32_t i = 0; i < regions.GetSize(); i++) {
    lldb::SBMemoryRegionInfo region;
    if (!regions.GetMemoryRegionAtIndex(i, region) || !region.IsMapped() ||
        region.GetRegionEnd() <= region.GetRegionBase()) {
      continue;
    }
    const char* name = region.GetName();
    answer.mappings.push_back({.start = region.GetRegionBase(),
                               .end = region.GetRegionEnd(),
                               .permissions = {.read = region.IsReadable(),
                                               .write = region.IsWritable(),
                                               .execute = region.IsExecutable()},
                               .path = name != nullptr ? name : ""});
  }
  answer.known = !answer.mappings.empty();
  wire::add_file_offsets(answer.mappings, [this](Address address, std::byte* to, std::size_t size) {
    return read(address, to, size);
  });
  return answer;
}

// Without running anything in the target.
std::optional<wire::EvaluateAnswer> LldbHost::evaluate(const std::string& expression) {
  wire::EvaluateAnswer answer;
  if (!target_.IsValid()) {
    answer.problem =
        "\"" + expression + "\" is not a number, and LLDB has nothing to evaluate it in";
    return answer;
  }
  lldb::SBExpressionOptions options;
  options.SetAllowJIT(false);
  options.SetIgnoreBreakpoints(true);
  options.SetTryAllThreads(false);
  lldb::SBFrame frame = process_.GetSelectedThread().GetSelectedFrame();
  lldb::SBValue value = frame.IsValid() ? frame.EvaluateExpression(expression.c_str(), options)
                                        : target_.EvaluateExpression(expression.c_str(), options);
  lldb::SBError error = value.GetError();
  if (error.Success()) {
    answer.value = value.GetValueAsUnsigned(error);
  }
  answer.ok = error.Success();
  if (!answer.ok) {
    const char* text = error.GetCString();
    answer.problem = "LLDB cannot evaluate \"" + expression + "\"";
    if (text != nullptr) {
      answer.problem += std::string(": ") + text;
    }
    while (answer.problem.ends_with('\n')) {
      answer.problem.pop_back();
    }
  }
  return answer;
}

bool LldbHost::interrupted() {
  if (!interrupted_ &&
      (debugger_.GetCommandInterpreter().WasInterrupted() || interrupt_requested(debugger_))) {
    interrupted_ = true;
    interrupted_at_ = std::chrono::steady_clock::now();
  }
  return interrupted_;
}

bool LldbHost::idle() {
  return !interrupted() || std::chrono::steady_clock::now() - interrupted_at_ < grace;
}

} // namespace pygc::lldb_plugin
