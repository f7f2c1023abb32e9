#include "replayer/native/signals.h"

#include "replayer/native/demand.h"
#include "replayer/native/fatal_functions.h"
#include "replayer/native/fetch.h"
#include "replayer/native/machine.h"
#include "replayer/native/run_state.h"

#include <array>
#include <cerrno>
#include <sys/syscall.h>
#include <sys/time.h>

namespace pygc::replayer {
namespace {

using replay::protocol::LockFailure;
using replay::protocol::Outcome;

// Room for the largest vector state there is (AMX: 11 KB), and then some.
alignas(machine::largest_page_size) std::array<char, std::size_t{64} << 10> handler_stack;

bool in_own_text(std::uint64_t address) {
  const machine::TextRange text = machine::own_text();
  return address >= text.start && address < text.end;
}

Outcome outcome_of(int signal, const siginfo_t& info, const ucontext_t& context) {
  switch (signal) {
  case SIGSEGV:
    return info.si_code == SEGV_ACCERR && machine::fault_was_write(context) ? Outcome::write
                                                                            : Outcome::fault;
  case SIGBUS: // of a file that is shorter now, else of an access that is not aligned
    return info.si_code == BUS_ADRERR ? Outcome::fault : Outcome::trap;
  case SIGILL:
    return Outcome::illegal_instruction;
  case SIGSYS:
    return Outcome::syscall;
  case SIGPROF:
    return Outcome::timeout;
  default:
    return Outcome::trap;
  }
}

std::uint64_t fault_address(int signal, const siginfo_t& info, const ucontext_t& context) {
  if (signal != SIGSEGV && signal != SIGBUS) {
    return 0;
  }
  // Of an address that is not canonical the kernel knows nothing.
  return signal == SIGSEGV && info.si_code == SI_KERNEL
             ? machine::operand_address(context)
             : reinterpret_cast<std::uint64_t>(info.si_addr);
}

/// True when the same traversal has used up its budget.
bool out_of_time() {
  RunState& state = run_state;
  if (state.mode != Mode::target || state.index != state.seen_index) {
    state.seen_index = state.index;
    state.seen_ticks = 0;
    return false;
  }
  return ++state.seen_ticks >= state.setup.ticks_per_traversal;
}

// The thread pointer may be the target's here: nothing below may use thread-local storage.
void on_signal(int signal, siginfo_t* info, void* raw_context) {
  machine::reset_flags();
  RunState& state = run_state;
  auto& context = *static_cast<ucontext_t*>(raw_context);
  if (signal == SIGPROF && !out_of_time()) {
    return;
  }
  if (signal == SIGSEGV && (fetch(reinterpret_cast<std::uint64_t>(info->si_addr)) ||
                            bring(reinterpret_cast<std::uint64_t>(info->si_addr)))) {
    return; // the access is carried out again
  }
  if (state.mode == Mode::idle) {
    machine::exit_process(replay::protocol::exit_crashed);
  }

  auto& incident = state.incident;
  incident.outcome = outcome_of(signal, *info, context);
  incident.number = signal == SIGSYS ? info->si_syscall : signal;
  incident.pc = machine::trapping_instruction(context, signal, info->si_code);
  incident.address = fault_address(signal, *info, context);
  incident.arguments = {};
  tell_fatal_function(context);
  if (state.mode == Mode::writing) {
    incident.outcome = Outcome::not_run;
    incident.pc = 0;
  } else if (in_own_text(incident.pc)) {
    // In a visitor: its caller passed something that is no object. Else: while fetching
    // tp_traverse, or out of time anywhere.
    incident.pc = state.visitor_caller;
    if (state.visitor_caller == 0 && signal != SIGPROF) {
      incident.outcome = Outcome::not_run;
    }
  }
  state.ended = true;
  machine::abandon(context);
}

} // namespace

LockResult install_handlers() {
  static bool installed = false;
  if (installed) {
    return {};
  }
  installed = true;
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  if (const auto r = machine::syscall(SYS_sigaltstack, reinterpret_cast<std::uint64_t>(&stack), 0);
      r < 0) {
    return {LockFailure::signals, static_cast<int>(-r)};
  }
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGPROF}) {
    if (!machine::set_handler(signal, &on_signal)) {
      return {LockFailure::signals, EINVAL};
    }
  }
  // Processor time, so that a busy machine does not end slow traversals and an idle replayer
  // sleeps.
  const auto tick = static_cast<std::int64_t>(run_state.setup.tick_microseconds);
  const itimerval interval{{tick / 1'000'000, tick % 1'000'000},
                           {tick / 1'000'000, tick % 1'000'000}};
  if (const auto r = machine::syscall(SYS_setitimer, ITIMER_PROF,
                                      reinterpret_cast<std::uint64_t>(&interval), 0);
      r < 0) {
    return {LockFailure::signals, static_cast<int>(-r)};
  }
  return {};
}

} // namespace pygc::replayer
