#include "lldb-plugin/resume.h"

#include <chrono>
#include <csignal>
#include <thread>

namespace pygc::lldb_plugin {
namespace {

constexpr std::chrono::milliseconds poll_interval{20};

volatile std::sig_atomic_t interrupt_seen = 0;

void note_interrupt(int /*signal*/) {
  interrupt_seen = 1;
}

/// While one exists, Ctrl-C is ours: LLDB gives it to the reader of the process' input, which does
/// not run while a command does.
class InterruptWatch {
public:
  InterruptWatch() {
    interrupt_seen = 0;
    struct sigaction action{};
    action.sa_handler = note_interrupt;
    ::sigaction(SIGINT, &action, &previous_);
  }
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch() { ::sigaction(SIGINT, &previous_, nullptr); }

private:
  struct sigaction previous_{};
};

void stop_when_interrupted(const std::stop_token& done, lldb::SBProcess process) {
  while (!done.stop_requested()) {
    if (interrupt_seen != 0) {
      process.SendAsyncInterrupt();
      return;
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

/// True when nothing but the step itself has stopped the thread.
bool only_stepped(lldb::SBThread& thread) {
  const lldb::StopReason reason = thread.GetStopReason();
  return reason == lldb::eStopReasonPlanComplete || reason == lldb::eStopReasonTrace ||
         reason == lldb::eStopReasonNone;
}

void step(lldb::SBProcess process, OwnStops& stops) {
  lldb::SBThread thread = process.GetSelectedThread();
  lldb::SBError error;
  do {
    thread.StepInstruction(false, error);
  } while (error.Success() && process.GetState() == lldb::eStateStopped && only_stepped(thread) &&
           interrupt_seen == 0 && !stops.changed_enough());
}

} // namespace

std::string resume(lldb::SBDebugger& debugger, OwnStops& stops) {
  const InterruptWatch watch;
  lldb::SBProcess process = debugger.GetSelectedTarget().GetProcess();
  const bool async = debugger.GetAsync();
  debugger.SetAsync(false);
  lldb::SBCommandReturnObject result;
  if (stops.steps()) {
    step(process, stops);
  } else {
    // The process is awaited here: whoever called us may hold locks that another thread would need.
    const std::jthread stopper(stop_when_interrupted, process);
    debugger.GetCommandInterpreter().HandleCommand("process continue", result);
  }
  debugger.SetAsync(async);
  return result.GetOutput() != nullptr ? result.GetOutput() : "";
}

} // namespace pygc::lldb_plugin
