#include "common/commands/watchpoint_choice.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string_view>

namespace pygc::commands {

void declare_watchpoint_option(CLI::App& app, bool& asked) {
  app.add_flag("--hardware-watchpoints", asked,
               "Rely on hardware watchpoints also where pygc cannot try them (a remote process)");
}

machine::WatchpointProbe choose_watchpoints(const target::Info& target, bool asked) {
  const char* given = std::getenv("PYGC_HARDWARE_WATCHPOINTS");
  const std::string_view said = given == nullptr ? "" : given;
  if (said == "0") {
    return {.fires = false, .reason = "PYGC_HARDWARE_WATCHPOINTS is 0"};
  }
  if (said == "1" || asked) {
    return {.fires = true};
  }
  if (target.kind != target::Kind::live) {
    return {.fires = false, .reason = "they cannot be tried on another machine"};
  }
  return machine::probe_hardware_watchpoints();
}

} // namespace pygc::commands
