#include "lldb-plugin/resume.h"

#include <chrono>
#include <csignal>
#include <future>

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

} // namespace

std::string resume(lldb::SBDebugger& debugger) {
  const InterruptWatch watch;
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  lldb::SBProcess process = debugger.GetSelectedTarget().GetProcess();
  const bool async = debugger.GetAsync();
  debugger.SetAsync(false);
  lldb::SBCommandReturnObject result;
  const std::future<void> stopped = std::async(std::launch::async, [&interpreter, &result] {
    interpreter.HandleCommand("process continue", result);
  });
  bool asked = false;
  while (stopped.wait_for(poll_interval) != std::future_status::ready) {
    if (!asked && (interrupt_seen != 0 || interpreter.WasInterrupted())) {
      process.SendAsyncInterrupt();
      asked = true;
    }
  }
  debugger.SetAsync(async);
  return result.GetOutput() != nullptr ? result.GetOutput() : "";
}

} // namespace pygc::lldb_plugin
