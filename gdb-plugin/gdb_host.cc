#include "gdb-plugin/gdb_host.h"

#include "common/machine/machine.h"
#include "common/protocol/wire_maps.h"
#include "gdb-plugin/output.h"

#include <algorithm>
#include <csignal>
#include <cstring>

namespace pygc::gdb {
namespace {

constexpr std::size_t shown_of_refused = 4000;
constexpr std::size_t read_piece = std::size_t{1} << 20; // GDB looks for ^C between calls

volatile std::sig_atomic_t interrupt_seen = 0;
struct sigaction previous_action;

void note_interrupt(int /*signal*/) {
  interrupt_seen = 1;
}

} // namespace

bool GdbHost::read(Address address, std::byte* to, std::size_t size) {
  if (callbacks_ == nullptr) {
    return false;
  }
  while (size > 0) { // GDB's length is an int, and a negative one "succeeds" unread
    const std::size_t piece = std::min(size, read_piece);
    if (callbacks_->target_read(address, to, static_cast<int>(piece)) != GDB_SUCCESS) {
      return false;
    }
    address += piece;
    to += piece;
    size -= piece;
  }
  return true;
}

void GdbHost::output_refused() {
  text_.resize(std::min(text_.size(), shown_of_refused));
  text_ += "\n";
}

// Only the registers of the general file: a number that GDB does not map ends GDB.
Address GdbHost::register_value(std::size_t dwarf_number) {
  gdb_reg_value* value = callbacks_->reg_get(callbacks_, static_cast<int>(dwarf_number));
  Address result = 0;
  if (value->defined != 0 && value->size == sizeof result) {
    std::memcpy(&result, value->value, sizeof result);
  }
  value->free(value);
  return result;
}

bool GdbHost::describe(wire::Launch& launch) {
  wire::Hello& hello = launch.hello;
  hello.debugger = "gdb";
  hello.debugger_version = command_.gdb_version;
  hello.sysroot = command_.sysroot == "target:" ? std::string() : command_.sysroot;
  hello.columns = wire::terminal_columns();
  hello.terminal = command_.style && output_is_for_people();
  if (auto executables = wire::find_executables(); executables.size() == 1) {
    hello.executable_path = executables.front().path;
  }
  if (callbacks_ == nullptr) { // a core without registers has no frame either
    hello.stop_id = wire::stop_id_without_target;
    if (auto cores = wire::find_cores(); cores.size() == 1) {
      wire::hand_over(std::move(cores.front()), launch);
    }
    return true;
  }
  sp_ = register_value(machine::sp_register);
  const Address pc = register_value(machine::pc_register);
  const wire::Read reader = [this](Address address, std::byte* to, std::size_t size) {
    return read(address, to, size);
  };
  std::byte probe{};
  read(sp_, &probe, 1); // has GDB open the core again if it closed it for want of descriptors
  for (auto& core : wire::find_cores()) {
    if (wire::core_is_target(core.fd.get(), pc, sp_, reader)) {
      wire::hand_over(std::move(core), launch);
      return true;
    }
  }
  return describe_process(launch, reader);
}

bool GdbHost::describe_process(wire::Launch& launch, const wire::Read& reader) {
  wire::Hello& hello = launch.hello;
  // GDB 10 and older keep no /proc/PID/mem open; newer ones may hold several processes.
  const auto opened = wire::find_traced_processes();
  std::int64_t pid = opened.size() == 1 ? opened.front() : 0;
  if (command_.process) {
    const bool ours =
        command_.native || std::ranges::find(opened, *command_.process) != opened.end();
    pid = ours ? *command_.process : 0;
  }
  hello.kind = wire::TargetKind::remote;
  UniqueFd memory = pid > 0 ? wire::open_process_memory(pid, sp_, reader) : UniqueFd();
  if (memory) {
    hello.kind = wire::TargetKind::live;
    hello.pid = pid_ = pid;
    launch.backing = std::move(memory);
    return true;
  }
  if (!command_.process) {
    command_.asks_process = true;
    return false;
  }
  hello.pid = *command_.process;
  if (command_.native) {
    pid_ = hello.pid; // its memory is closed to us, its mappings need not be
    return true;
  }
  if (hello.pid != 0 && !command_.maps) {
    command_.asks_maps = true;
    return false;
  }
  return true;
}

std::optional<wire::ThreadsAnswer> GdbHost::threads() {
  if (callbacks_ == nullptr) {
    return wire::ThreadsAnswer{};
  }
  if (!command_.threads) {
    command_.asks_threads = true;
  }
  return command_.threads;
}

wire::MappingsAnswer GdbHost::mappings() {
  return pid_ > 0 ? wire::process_mappings(pid_) : command_.maps.value_or(wire::MappingsAnswer{});
}

std::optional<wire::EvaluateAnswer> GdbHost::evaluate(const std::string& expression) {
  if (const auto known = command_.values.find(expression); known != command_.values.end()) {
    return wire::EvaluateAnswer{.ok = true, .value = known->second, .problem = {}};
  }
  const bool printable = std::ranges::all_of(
      expression, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
  if (callbacks_ == nullptr || !printable) {
    return wire::EvaluateAnswer{
        .ok = false,
        .value = 0,
        .problem = "\"" + expression + "\" is not a number, and GDB has nothing to evaluate it in"};
  }
  command_.asks_value = expression;
  return std::nullopt;
}

bool GdbHost::interrupted() {
  return !idle();
}

bool GdbHost::idle() {
  if (callbacks_ == nullptr) {
    return !InterruptWatch::interrupted();
  }
  std::byte probe{}; // a tiny good read: there GDB looks for ^C, and throws
  callbacks_->target_read(sp_, &probe, 1);
  return true;
}

InterruptWatch::InterruptWatch() {
  interrupt_seen = 0;
  struct sigaction action{};
  action.sa_handler = note_interrupt;
  ::sigaction(SIGINT, &action, &previous_action);
}

InterruptWatch::~InterruptWatch() {
  ::sigaction(SIGINT, &previous_action, nullptr);
}

bool InterruptWatch::interrupted() {
  return interrupt_seen != 0;
}

} // namespace pygc::gdb
