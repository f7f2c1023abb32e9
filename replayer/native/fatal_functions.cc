#include "replayer/native/fatal_functions.h"

#include "common/machine/page.h"
#include "replayer/native/machine.h"
#include "replayer/native/map.h"
#include "replayer/native/run_state.h"
#include "replayer/shared/own_range.h"

#include <algorithm>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using ::pygc::machine::page_down;
using ::pygc::machine::page_size;

// Outlives the loop, which a fault may end at any function.
std::size_t next_function = 0;

void set_from_next() {
  const auto& functions = run_state.setup.fatal_functions;
  while (next_function < functions.size()) {
    const std::uint64_t function = functions[next_function++];
    if (function == 0 || is_own(function)) {
      continue;
    }
    // Brings memory that comes when it is touched. What cannot be had ends here.
    static_cast<void>(*reinterpret_cast<const volatile std::uint8_t*>(function));
    const std::uint64_t page = page_down(function);
    // Executable throughout: some kernels refuse to make a page so that was changed.
    if (machine::syscall(SYS_mprotect, page, page_size(), PROT_READ | PROT_WRITE | PROT_EXEC) ==
        0) {
      machine::write_breakpoint(function);
      machine::syscall(SYS_mprotect, page, page_size(), PROT_READ | PROT_EXEC);
    }
  }
}

bool is_in_target_stack(std::uint64_t address) {
  return address >= protocol::own_stack && address % sizeof(address) == 0 &&
         address < target_stack_top();
}

} // namespace

void set_breakpoints() {
  while (next_function < run_state.setup.fatal_functions.size()) {
    run_state.mode = Mode::writing;
    machine::run_on_stack(&set_from_next, target_stack_top());
    run_state.mode = Mode::idle;
  }
}

void tell_fatal_function(const ucontext_t& context) {
  protocol::IncidentRecord& incident = run_state.incident;
  const auto& functions = run_state.setup.fatal_functions;
  if (incident.outcome != protocol::Outcome::trap || incident.pc == 0 ||
      std::ranges::find(functions, incident.pc) == functions.end()) {
    return;
  }
  incident.outcome = protocol::Outcome::assertion;
  incident.address = incident.pc;
  incident.arguments = machine::arguments(context);
  const std::uint64_t slot = machine::return_address_slot(context);
  incident.pc = is_in_target_stack(slot) ? *reinterpret_cast<const std::uint64_t*>(slot) : 0;
}

} // namespace pygc::replayer
