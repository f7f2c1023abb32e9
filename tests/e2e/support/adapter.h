// Editors: what one says to a debug adapter, and what people see on a terminal.
#pragma once

#include "tests/e2e/support/process.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pygc::e2e {

struct AdapterSession {
  std::vector<std::string> program;     // "lldb-dap", or "gdb" "-i=dap"
  std::string request;                  // "attach" or "launch"
  nlohmann::json arguments;             // as in a launch.json
  std::vector<std::string> expressions; // typed into the debug console, one after the other
  std::vector<std::string> env = {};
};

/// The answers to the expressions, each as text. Throws, with all that was said, when the adapter
/// gives none.
std::vector<std::string> type_in_adapter(const AdapterSession& session);

/// The configurations of the launch.json in docs/editors.md.
std::vector<nlohmann::json> documented_configurations();

/// Runs the program on a terminal of its own, `columns` wide; `out` is what came out of it.
Outcome run_on_terminal(unsigned columns, const std::vector<std::string>& words,
                        const std::vector<std::string>& env = {});

} // namespace pygc::e2e
